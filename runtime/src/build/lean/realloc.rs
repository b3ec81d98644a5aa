//! Copies the guest's `cabi_realloc`, with all that it calls, into the module that holds the memory.
//!
//! What an allocator knows is in memory, and the copy works on the same memory: guest and copy hand out and take back
//! blocks as one. That holds for code which is nothing but arithmetic, memory and calls of the same. The new module
//! has no globals, tables, imports or numbered segments, so that validation refuses all other code.
//!
//! The way to a panic is not copied, it would lead through half of the guest. Where a callee never returns (an
//! `unreachable` follows its call), the copy has nothing but `unreachable` under the callee's name: an allocator that
//! finds its own lists broken traps and the backtrace says where, but no message is sent first.

use std::collections::HashMap;

use wasm_encoder::reencode::{Error as ReencodeError, Reencode};
use wasm_encoder::{CodeSection, Function, FunctionSection, NameMap, NameSection};
use wasmparser::{FunctionBody, Operator};

use super::Unfamiliar;
use super::split::Main;

/// More code than an allocator has, in bytes: who finds room with that much has a language runtime below.
const COPIED_BYTES_MAX: usize = 32 * 1024;

/// The copy, for a module that has all the guest's types.
pub struct Copied {
    pub functions: FunctionSection,
    pub code: CodeSection,
    pub names: NameSection,
    /// The number of the realloc.
    pub realloc: u32,
}

/// Copies function `realloc` of the module `main`.
pub fn copy(main: &Main<'_>, realloc: u32) -> Result<Copied, Unfamiliar> {
    let Reached { copied, dead_ends } = reached(main, realloc)?;
    let numbers = copied.iter().chain(&dead_ends).copied().zip(0..).collect();
    let mut copier = Copier { numbers };
    let (mut functions, mut code, mut names) = (FunctionSection::new(), CodeSection::new(), NameMap::new());
    for &old in &copied {
        let (of_type, body) = own_function(main, old)?;
        functions.function(of_type);
        copier.parse_function_body(&mut code, body.clone())?;
    }
    for &old in &dead_ends {
        functions.function(own_function(main, old)?.0);
        let mut body = Function::new([]);
        body.instructions().unreachable().end();
        code.function(&body);
    }
    for (old, new) in copied.iter().chain(&dead_ends).zip(0..) {
        if let Some(name) = main.names.get(old) {
            names.append(new, name);
        }
    }
    let mut section = NameSection::new();
    section.module(super::split::FIRST);
    section.functions(&names);
    Ok(Copied { functions, code, names: section, realloc: copier.function_index(realloc)? })
}

/// Functions by their numbers in the guest.
struct Reached {
    copied: Vec<u32>,
    /// Those that never return.
    dead_ends: Vec<u32>,
}

/// What `realloc` calls, and what that calls, and so on.
fn reached(main: &Main<'_>, realloc: u32) -> Result<Reached, Unfamiliar> {
    let (mut copied, mut dead_ends) = (vec![realloc], Vec::new());
    let (mut next, mut bytes) = (0, 0);
    while let Some(&function) = copied.get(next) {
        next += 1;
        let (_, body) = own_function(main, function)?;
        bytes += body.range().len();
        if bytes > COPIED_BYTES_MAX {
            return Err(Unfamiliar("a realloc that is more than an allocator"));
        }
        let mut operators = body.get_operators_reader()?.into_iter().peekable();
        while let Some(operator) = operators.next() {
            let Operator::Call { function_index: callee } = operator? else {
                continue;
            };
            let returns = !matches!(operators.peek(), Some(Ok(Operator::Unreachable)));
            let list = if returns { &mut copied } else { &mut dead_ends };
            if !list.contains(&callee) {
                list.push(callee);
            }
        }
    }
    // Something else is done with what comes back from the same function elsewhere.
    dead_ends.retain(|function| !copied.contains(function));
    Ok(Reached { copied, dead_ends })
}

/// The type and the code of a function of the guest's own.
fn own_function<'m, 'a>(
    main: &'m Main<'a>,
    function: u32,
) -> Result<(u32, &'m FunctionBody<'a>), Unfamiliar> {
    let imported = Unfamiliar("a realloc that calls imports");
    let place = function.checked_sub(main.imported_functions).ok_or(imported)? as usize;
    let missing = Unfamiliar("a function that is not there");
    Ok((*main.types.get(place).ok_or(missing)?, main.bodies.get(place).ok_or(missing)?))
}

/// Writes calls with the numbers that functions have in the copy.
struct Copier {
    numbers: HashMap<u32, u32>,
}

impl Reencode for Copier {
    type Error = Unfamiliar;

    fn function_index(&mut self, old: u32) -> Result<u32, ReencodeError<Unfamiliar>> {
        let new = self.numbers.get(&old).copied();
        new.ok_or(ReencodeError::UserError(Unfamiliar("a realloc that uses functions in another way")))
    }
}
