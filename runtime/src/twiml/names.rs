//! Looking up names: exactly, on the hot path, and nearly, for people.
//!
//! Every element has its own small table of children and attributes, so a look-up is one hash of three bytes and
//! the length, and nearly always one comparison. The tables are built once and never from what a guest wrote, so
//! nobody outside can make them slow.

/// A fixed set of names, each with what is known about it.
#[derive(Debug)]
pub(super) struct Names<T> {
    entries: Vec<(String, T)>,
    /// Index into `entries` plus one; 0 is a free slot. The length is a power of two, at most half full.
    slots: Box<[u16]>,
}

impl<T> Names<T> {
    /// Builds the table; names are distinct, and fewer than 65 535.
    pub(super) fn new(entries: Vec<(String, T)>) -> Self {
        let mut slots = vec![0_u16; (entries.len() * 2 + 1).next_power_of_two()].into_boxed_slice();
        let mask = slots.len() - 1;
        for (index, (name, _)) in entries.iter().enumerate() {
            let mut slot = hash(name.as_bytes()) & mask;
            while slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            slots[slot] =
                u16::try_from(index + 1).expect("the grammar's sets hold at most some hundred names");
        }
        Self { entries, slots }
    }

    /// What is known about `name`.
    pub(super) fn get(&self, name: &str) -> Option<&T> {
        let mask = self.slots.len() - 1;
        let mut slot = hash(name.as_bytes()) & mask;
        loop {
            let index = usize::from(self.slots[slot]);
            if index == 0 {
                return None;
            }
            let (known, value) = &self.entries[index - 1];
            if known == name {
                return Some(value);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// All names, in the order given to [`Names::new`].
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Three bytes and the length tell the grammar's names apart well enough, and cost the same for every length.
fn hash(name: &[u8]) -> usize {
    let (Some(&first), Some(&last), Some(&middle)) = (name.first(), name.last(), name.get(name.len() / 2))
    else {
        return 0;
    };
    let mixed = u32::from(first) | u32::from(middle) << 8 | u32::from(last) << 16 | (name.len() as u32) << 24;
    (mixed.wrapping_mul(0x9E37_79B1) >> 16) as usize
}

/// Longer names are no slip of anything, and comparing them would only cost time.
const COMPARED_CHARS_MAX: usize = 64;

/// The candidate that somebody who wrote `found` probably meant: the same but for letter case, or one to three
/// slips of the finger away (fewer for short names).
pub(super) fn nearest<'a>(found: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let folded: Vec<char> =
        found.chars().take(COMPARED_CHARS_MAX + 1).map(|c| c.to_ascii_lowercase()).collect();
    if folded.len() > COMPARED_CHARS_MAX {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    let mut most = (folded.len() / 3).clamp(1, 3);
    for candidate in candidates {
        if candidate.eq_ignore_ascii_case(found) {
            return Some(candidate);
        }
        // The grammar's names are ASCII, so that bytes are characters.
        if candidate.len().abs_diff(folded.len()) > most {
            continue;
        }
        if let Some(distance) = slips(&folded, candidate.as_bytes(), most)
            && best.is_none_or(|(least, _)| distance < least)
        {
            best = Some((distance, candidate));
            most = distance;
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// How many letters to insert, drop, replace or swap with their neighbour, letter case apart; `None` over `most`.
fn slips(found: &[char], name: &[u8], most: usize) -> Option<usize> {
    // A name is at most `most` longer than what it is compared with.
    const ROW: usize = COMPARED_CHARS_MAX + 4;
    let (mut before_last, mut last, mut row) = ([0_usize; ROW], [0_usize; ROW], [0_usize; ROW]);
    for (j, cell) in last.iter_mut().enumerate() {
        *cell = j;
    }
    let name = name.get(..ROW - 1).unwrap_or(name);
    let at = |j: usize| char::from(name[j].to_ascii_lowercase());
    for i in 1..=found.len() {
        row[0] = i;
        let mut least = i;
        for j in 1..=name.len() {
            let other = usize::from(found[i - 1] != at(j - 1));
            let mut cell = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + other);
            if i > 1 && j > 1 && found[i - 1] == at(j - 2) && found[i - 2] == at(j - 1) {
                cell = cell.min(before_last[j - 2] + 1);
            }
            row[j] = cell;
            least = least.min(cell);
        }
        if least > most {
            return None;
        }
        (before_last, last) = (last, row);
    }
    Some(last[name.len()]).filter(|&distance| distance <= most)
}

/// Names that a sentence can bear.
pub(super) const LISTED_MAX: usize = 12;

/// Names as a sentence has them: `` `Say`, `Play` and `Pause` ``; after the first dozen only their number.
pub(super) fn listed<'a>(mut names: impl Iterator<Item = &'a str>, last_word: &str) -> String {
    let quoted: Vec<String> = names.by_ref().take(LISTED_MAX).map(|name| format!("`{name}`")).collect();
    let more = names.count();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        shown if more > 0 => format!("{} … ({} in all)", shown.join(", "), shown.len() + more),
        [first @ .., last] => format!("{} {last_word} {last}", first.join(", ")),
    }
}
