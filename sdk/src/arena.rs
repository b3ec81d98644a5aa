//! The allocator of handlers: a pointer that moves through memory which is already there.
//!
//! An instance answers one webhook and is thrown away, so that freeing is wasted work, and growing
//! memory on the way is the dearest thing a handler can do: the host changes page protections then,
//! and again when it clears the instance, which together cost as much as half a call. So the
//! first [`ARENA_BYTES`] come from a static arena in pages the host maps in any case and only
//! clears when touched. Handlers that need more get the rest from the standard allocator, which
//! grows memory and reuses what is freed.

// JUSTIFICATION: `GlobalAlloc` is an unsafe trait, there is no safe way to be an allocator.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};
use std::mem::MaybeUninit;

/// Bytes that are handed out without growing memory. A front-desk call takes about 4 KiB, the
/// largest document 64 KiB; a builder that doubles its text on the way to it twice that.
const ARENA_BYTES: usize = 192 * 1024;

#[global_allocator]
static ARENA: Arena = Arena { used: Cell::new(0), space: UnsafeCell::new(MaybeUninit::uninit()) };

#[repr(C, align(16))]
struct Arena {
    /// Bytes of `space` handed out. Before `space`, so that both are in one page.
    used: Cell<usize>,
    space: UnsafeCell<MaybeUninit<[u8; ARENA_BYTES]>>,
}

// SAFETY: this module is built for wasm32 without threads only (see `lib.rs`): nothing is shared.
unsafe impl Sync for Arena {}

impl Arena {
    fn base(&self) -> *mut u8 {
        self.space.get().cast()
    }

    /// Where in `space` a block starts, or none if it is not one of ours.
    fn offset_of(&self, block: *mut u8) -> Option<usize> {
        let offset = block.addr().wrapping_sub(self.base().addr());
        (offset < ARENA_BYTES).then_some(offset)
    }

    /// The next block, or null if it does not fit any more.
    fn take(&self, layout: Layout) -> *mut u8 {
        let base = self.base().addr();
        let start = (base + self.used.get()).next_multiple_of(layout.align()) - base;
        // `start` is at most ARENA_BYTES plus an alignment, a size at most 2³¹ − 1: no overflow.
        let end = start + layout.size();
        if end > ARENA_BYTES {
            return std::ptr::null_mut();
        }
        self.used.set(end);
        // SAFETY: `start` ≤ `end` ≤ ARENA_BYTES, so the pointer stays in `space`.
        unsafe { self.base().add(start) }
    }
}

// SAFETY: blocks from `space` are aligned and do not overlap, because `used` is always the end of the
// last one that lives and moves back only when exactly that one is freed or shrunk. All others are
// `System`'s, which gets back only what it gave: `offset_of` tells them apart.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let block = self.take(layout);
        if block.is_null() {
            // SAFETY: the caller's promise for `layout` is passed on.
            return unsafe { System.alloc(layout) };
        }
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let block = self.take(layout);
        if block.is_null() {
            // SAFETY: as in `alloc`.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // Memory may have been handed out, written and taken back before.
        // SAFETY: `take` gave at least `layout.size()` bytes.
        unsafe { block.write_bytes(0, layout.size()) };
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match self.offset_of(block) {
            Some(offset) if offset + layout.size() == self.used.get() => self.used.set(offset),
            Some(_) => {}
            // SAFETY: not ours, so `System` gave it.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let Some(offset) = self.offset_of(block) else {
            // SAFETY: not ours, so `System` gave it.
            return unsafe { System.realloc(block, layout, new_size) };
        };
        let is_last = offset + layout.size() == self.used.get();
        if is_last && offset + new_size <= ARENA_BYTES {
            // The text that is being written is nearly always the last block: it grows in place.
            self.used.set(offset + new_size);
            return block;
        }
        if new_size <= layout.size() {
            return block;
        }
        // SAFETY: the caller promises that `new_size` is valid with this alignment; old and new
        // block do not overlap and both hold at least the old size.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(block, layout.size());
            }
            moved
        }
    }
}
