//! Against the limit of memory.

#[cfg(target_arch = "wasm32")]
use hookswitch_sdk::log;
use std::hint::black_box;

const MIB: usize = 1024 * 1024;

/// Grows memory by one page until the host refuses, then touches what it got, from its end.
pub fn grow_page_by_page() {
    #[cfg(target_arch = "wasm32")]
    {
        const PAGE: usize = 64 * 1024;
        let mut pages = 0;
        let mut last = 0;
        loop {
            let page = core::arch::wasm32::memory_grow::<0>(1);
            if page == usize::MAX {
                break;
            }
            pages += 1;
            last = page;
        }
        for page in (last + 1 - pages..=last).rev() {
            let start = std::ptr::with_exposed_provenance_mut::<u8>(page * PAGE);
            // SAFETY: the page was made above and nobody else was given it.
            unsafe { start.write_volatile(1) };
        }
        log::info!("got {pages} pages");
    }
}

/// Allocates far more than any handler may have.
pub fn allocate_a_gigabyte() {
    let bytes = vec![1_u8; black_box(1024 * MIB)];
    black_box(&bytes);
}

/// Allocates until there is no more, and panics.
pub fn allocate_until_it_fails() {
    let mut held: Vec<Vec<u8>> = Vec::new();
    loop {
        let mut bytes: Vec<u8> = Vec::new();
        if bytes.try_reserve_exact(MIB).is_err() {
            panic!("no memory after {} MiB", held.len());
        }
        held.push(black_box(bytes));
    }
}

/// Touches so many MiB, one byte in each 4 KiB.
pub fn touch(mib: usize) {
    let mut bytes = vec![0_u8; mib * MIB];
    for byte in bytes.iter_mut().step_by(4096) {
        *byte = 1;
    }
    black_box(&bytes);
}

/// Fills most of the memory, for ever: one instruction that cannot be interrupted, again and again.
pub fn fill_forever() {
    let mut bytes = vec![0_u8; 24 * MIB];
    let mut value = 0_u8;
    loop {
        value = value.wrapping_add(1);
        black_box(&mut bytes).fill(black_box(value));
    }
}
