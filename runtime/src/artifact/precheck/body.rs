//! Instructions: how deep they nest, how far they branch, and which proposal they belong to.
//!
//! Decoding is the library's; this visitor keeps the stack of open blocks, which the limit on
//! nesting bounds, and looks at nothing else.

use wasmparser::{BinaryReader, BlockType, BrTable, FrameKind, FrameStack, VisitOperator, VisitSimdOperator};

use super::error::{Fault, Feature};
use super::limits::Limit;
use super::tally::Tally;
use super::to_u64;

/// Reads expressions, one after another, and keeps what it allocated for the next.
#[derive(Default)]
pub(super) struct Scanner {
    open: Vec<FrameKind>,
}

impl Scanner {
    /// Reads a function's instructions or a constant expression, up to its final `end`.
    pub(super) fn expression(
        &mut self,
        reader: &mut BinaryReader<'_>,
        tally: &mut Tally<'_>,
    ) -> Result<(), Fault> {
        self.open.clear();
        self.open.push(FrameKind::Block);
        let mut visitor = Visitor { open: &mut self.open, loops: 0, offset: 0, tally };
        while !visitor.open.is_empty() {
            visitor.offset = reader.original_position();
            reader.visit_operator(&mut visitor)?.map_err(|fault| *fault)?;
        }
        Ok(())
    }
}

struct Visitor<'v, 'l> {
    /// What is open, the expression itself first.
    open: &'v mut Vec<FrameKind>,
    loops: u64,
    offset: usize,
    tally: &'v mut Tally<'l>,
}

/// Boxed: an instruction that is fine, and they come by the million, costs one word.
type Visited = Result<(), Box<Fault>>;

impl Visitor<'_, '_> {
    fn block(&mut self, kind: FrameKind) -> Visited {
        // `open` holds the expression as well, so its length is the nesting with the new one.
        self.tally.peak(Limit::BlockNesting, to_u64(self.open.len()), self.offset)?;
        if kind == FrameKind::Loop {
            self.loops += 1;
            self.tally.peak(Limit::LoopNesting, self.loops, self.offset)?;
        }
        self.open.push(kind);
        Ok(())
    }

    fn otherwise(&mut self) -> Visited {
        // The library has made sure that the innermost block is an `if`.
        if let Some(innermost) = self.open.last_mut() {
            *innermost = FrameKind::Else;
        }
        Ok(())
    }

    fn end(&mut self) -> Visited {
        if self.open.pop() == Some(FrameKind::Loop) {
            self.loops -= 1;
        }
        Ok(())
    }

    fn br_table(&mut self, table: &BrTable<'_>) -> Visited {
        let targets = u64::from(table.len());
        self.tally.peak(Limit::BrTable, targets, self.offset)?;
        self.tally.add(Limit::BrTableTotal, targets, self.offset)?;
        Ok(())
    }

    #[cold]
    fn refuse(&self, feature: Feature) -> Visited {
        Err(Box::new(Fault::unsupported(feature, self.offset)))
    }
}

impl FrameStack for Visitor<'_, '_> {
    fn current_frame(&self) -> Option<FrameKind> {
        self.open.last().copied()
    }
}

/// What an instruction of each proposal means here. Without a rule for a new one this does not compile.
macro_rules! of_proposal {
    ($self:ident mvp) => {
        Ok(())
    };
    ($self:ident sign_extension) => {
        Ok(())
    };
    ($self:ident saturating_float_to_int) => {
        Ok(())
    };
    ($self:ident bulk_memory) => {
        Ok(())
    };
    ($self:ident reference_types) => {
        Ok(())
    };
    ($self:ident simd) => {
        Ok(())
    };
    ($self:ident gc) => {
        $self.refuse(Feature::Gc)
    };
    ($self:ident custom_descriptors) => {
        $self.refuse(Feature::Gc)
    };
    ($self:ident tail_call) => {
        $self.refuse(Feature::TailCall)
    };
    ($self:ident memory_control) => {
        $self.refuse(Feature::MemoryControl)
    };
    ($self:ident threads) => {
        $self.refuse(Feature::Threads)
    };
    ($self:ident shared_everything_threads) => {
        $self.refuse(Feature::Threads)
    };
    ($self:ident relaxed_simd) => {
        $self.refuse(Feature::RelaxedSimd)
    };
    ($self:ident exceptions) => {
        $self.refuse(Feature::Exceptions)
    };
    ($self:ident legacy_exceptions) => {
        $self.refuse(Feature::Exceptions)
    };
    ($self:ident function_references) => {
        $self.refuse(Feature::FunctionReferences)
    };
    ($self:ident stack_switching) => {
        $self.refuse(Feature::StackSwitching)
    };
    ($self:ident wide_arithmetic) => {
        $self.refuse(Feature::WideArithmetic)
    };
}

/// One method: by its name where the instruction opens, closes or branches, else by its proposal.
macro_rules! visit {
    ($proposal:ident Block $visit:ident $($rest:tt)*) => {
        fn $visit(&mut self, _: BlockType) -> Visited { self.block(FrameKind::Block) }
    };
    ($proposal:ident Loop $visit:ident $($rest:tt)*) => {
        fn $visit(&mut self, _: BlockType) -> Visited { self.block(FrameKind::Loop) }
    };
    ($proposal:ident If $visit:ident $($rest:tt)*) => {
        fn $visit(&mut self, _: BlockType) -> Visited { self.block(FrameKind::If) }
    };
    ($proposal:ident Else $visit:ident $($rest:tt)*) => {
        fn $visit(&mut self) -> Visited { self.otherwise() }
    };
    ($proposal:ident End $visit:ident $($rest:tt)*) => {
        fn $visit(&mut self) -> Visited { self.end() }
    };
    ($proposal:ident BrTable $visit:ident $($rest:tt)*) => {
        fn $visit(&mut self, table: BrTable<'a>) -> Visited { self.br_table(&table) }
    };
    ($proposal:ident $operator:ident $visit:ident $($argument:ty),*) => {
        fn $visit(&mut self $(, _: $argument)*) -> Visited { of_proposal!(self $proposal) }
    };
}

macro_rules! visit_all {
    ($(@$proposal:ident $operator:ident $({ $($name:ident: $argument:ty),* })? => $visit:ident ($($arity:tt)*))*) => {
        $( visit!($proposal $operator $visit $($($argument),*)?); )*
    };
}

impl<'a> VisitOperator<'a> for Visitor<'_, '_> {
    type Output = Visited;

    fn simd_visitor(&mut self) -> Option<&mut dyn VisitSimdOperator<'a, Output = Visited>> {
        Some(self)
    }

    wasmparser::for_each_visit_operator!(visit_all);
}

impl<'a> VisitSimdOperator<'a> for Visitor<'_, '_> {
    wasmparser::for_each_visit_simd_operator!(visit_all);
}
