//! What a component may contain, and how much of it.
//!
//! Compiling is the cheapest way to hurt a host: 27 KiB of nested loops cost 17 seconds, 273 KiB of
//! data segments 930 MiB. Size says nothing about either, so each shape that was measured to be
//! expensive has a limit of its own. The defaults leave honest components room: a JavaScript engine
//! (12 MB) and CPython (18 MB) pass with all of them.

/// Something that is counted. Totals are over the whole file, nested modules and components included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// Bytes of the whole file.
    ComponentBytes,
    /// Core modules in the file; also core instances once nested components are put together.
    CoreModules,
    /// Nested components in the file.
    Components,
    /// Levels of components in components, and of types in types.
    ComponentNesting,
    /// Component types and core types at component level, those inside other types included.
    ComponentTypes,
    /// Fields, cases, names, parameters and declarations of all component types.
    ComponentTypeMembers,
    /// Component-level definitions once nested components are put together.
    Definitions,
    /// Imports of one component, nested or not.
    Imports,
    /// Exports of one component, nested or not.
    Exports,
    /// Imports of one core module.
    CoreImports,
    /// Exports of one core module.
    CoreExports,
    /// Functions with a body.
    Functions,
    /// Function types of core modules.
    Types,
    /// Parameters and results of one function type, together.
    ParamsResults,
    /// Globals of core modules.
    Globals,
    /// Data segments of one core module.
    DataSegments,
    /// Data segments of all core modules.
    DataSegmentsTotal,
    /// Items of all element segments.
    ElementItems,
    /// Bytes of one function body.
    BodyBytes,
    /// Locals one function declares.
    Locals,
    /// Blocks, loops and ifs inside one another.
    BlockNesting,
    /// Loops inside one another.
    LoopNesting,
    /// Targets of one `br_table`.
    BrTable,
    /// Targets of all `br_table`s.
    BrTableTotal,
    /// Memories once every core module is instantiated.
    Memories,
    /// Bytes: the minima of all memories once every core module is instantiated.
    Memory,
    /// Tables once every core module is instantiated.
    Tables,
    /// Elements: the minimum of one table.
    TableElements,
}

impl Limit {
    /// Every limit, in the order of the enum: `ALL[limit as usize] == limit`.
    pub const ALL: [Limit; 28] = [
        Limit::ComponentBytes,
        Limit::CoreModules,
        Limit::Components,
        Limit::ComponentNesting,
        Limit::ComponentTypes,
        Limit::ComponentTypeMembers,
        Limit::Definitions,
        Limit::Imports,
        Limit::Exports,
        Limit::CoreImports,
        Limit::CoreExports,
        Limit::Functions,
        Limit::Types,
        Limit::ParamsResults,
        Limit::Globals,
        Limit::DataSegments,
        Limit::DataSegmentsTotal,
        Limit::ElementItems,
        Limit::BodyBytes,
        Limit::Locals,
        Limit::BlockNesting,
        Limit::LoopNesting,
        Limit::BrTable,
        Limit::BrTableTotal,
        Limit::Memories,
        Limit::Memory,
        Limit::Tables,
        Limit::TableElements,
    ];

    /// The stable name, as in `limit:loop_nesting`.
    pub fn name(self) -> &'static str {
        match self {
            Limit::ComponentBytes => "component_bytes",
            Limit::CoreModules => "core_modules",
            Limit::Components => "components",
            Limit::ComponentNesting => "component_nesting",
            Limit::ComponentTypes => "component_types",
            Limit::ComponentTypeMembers => "component_type_members",
            Limit::Definitions => "definitions",
            Limit::Imports => "imports",
            Limit::Exports => "exports",
            Limit::CoreImports => "core_imports",
            Limit::CoreExports => "core_exports",
            Limit::Functions => "functions",
            Limit::Types => "types",
            Limit::ParamsResults => "params_results",
            Limit::Globals => "globals",
            Limit::DataSegments => "data_segments",
            Limit::DataSegmentsTotal => "data_segments_total",
            Limit::ElementItems => "element_items",
            Limit::BodyBytes => "body_bytes",
            Limit::Locals => "locals",
            Limit::BlockNesting => "block_nesting",
            Limit::LoopNesting => "loop_nesting",
            Limit::BrTable => "br_table",
            Limit::BrTableTotal => "br_table_total",
            Limit::Memories => "memories",
            Limit::Memory => "memory",
            Limit::Tables => "tables",
            Limit::TableElements => "table_elements",
        }
    }

    /// What is counted, to follow a number: `51 000 functions`.
    pub fn unit(self) -> &'static str {
        match self {
            Limit::ComponentBytes => "bytes of component",
            Limit::CoreModules => "core modules or instances of them",
            Limit::Components => "nested components",
            Limit::ComponentNesting => "levels of nested components or component types",
            Limit::ComponentTypes => "component types",
            Limit::ComponentTypeMembers => "members of component types",
            Limit::Definitions => "definitions with nested components put together",
            Limit::Imports => "imports of a component",
            Limit::Exports => "exports of a component",
            Limit::CoreImports => "imports of a core module",
            Limit::CoreExports => "exports of a core module",
            Limit::Functions => "functions",
            Limit::Types => "core function types",
            Limit::ParamsResults => "parameters and results of a function type",
            Limit::Globals => "globals",
            Limit::DataSegments => "data segments of a core module",
            Limit::DataSegmentsTotal => "data segments of all core modules",
            Limit::ElementItems => "items in element segments",
            Limit::BodyBytes => "bytes of function body",
            Limit::Locals => "locals of a function",
            Limit::BlockNesting => "nested blocks",
            Limit::LoopNesting => "nested loops",
            Limit::BrTable => "targets of a br_table",
            Limit::BrTableTotal => "targets of all br_tables",
            Limit::Memories => "memories",
            Limit::Memory => "bytes of memory at start",
            Limit::Tables => "tables",
            Limit::TableElements => "elements of a table at start",
        }
    }

    /// What the author can do about it.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Limit::ComponentBytes => "build with optimisation and strip debug sections",
            Limit::CoreModules | Limit::Components | Limit::ComponentNesting => {
                "compose fewer components into one"
            }
            Limit::ComponentTypes | Limit::ComponentTypeMembers | Limit::Definitions => {
                "import and export only interfaces that the handler uses"
            }
            Limit::Imports | Limit::Exports | Limit::CoreImports | Limit::CoreExports => {
                "remove those that nothing uses"
            }
            Limit::Functions | Limit::Types | Limit::Globals => {
                "build with optimisation, so that unused code is left out"
            }
            Limit::ParamsResults => "pass a record in memory instead",
            Limit::DataSegments | Limit::DataSegmentsTotal => "let the linker merge data segments",
            Limit::ElementItems | Limit::Tables | Limit::TableElements => {
                "use fewer indirectly called functions"
            }
            Limit::BodyBytes | Limit::Locals => "split the function, or turn off aggressive inlining",
            Limit::BlockNesting | Limit::LoopNesting => "split the function that nests so deep",
            Limit::BrTable | Limit::BrTableTotal => "replace large switches by tables in memory",
            Limit::Memories => "link the core modules into one that shares a memory",
            Limit::Memory => "link with a smaller initial memory, or raise `memory_mib`",
        }
    }
}

/// The most that a component may have of each [`Limit`].
///
/// One number for each, read by [`StructureLimits::most`]. Raising one costs compile time and memory in
/// the first place; what it costs at run time has limits of its own in the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StructureLimits {
    most: [u64; Limit::ALL.len()],
}

impl StructureLimits {
    /// The most that is accepted of `limit`, in its unit.
    pub fn most(&self, limit: Limit) -> u64 {
        self.most.get(limit as usize).copied().unwrap_or(0)
    }

    /// The same limits with another number for `limit`.
    ///
    /// [`Limit::ComponentNesting`] stays at or below 64: nested types are read by recursion.
    #[must_use]
    pub fn with(mut self, limit: Limit, most: u64) -> Self {
        let most = if limit == Limit::ComponentNesting { most.min(NESTING_MOST) } else { most };
        if let Some(slot) = self.most.get_mut(limit as usize) {
            *slot = most;
        }
        self
    }
}

/// A level of types takes some hundred bytes of stack; 64 of them are nothing, 100 000 are a crash.
const NESTING_MOST: u64 = 64;

impl Default for StructureLimits {
    fn default() -> Self {
        StructureLimits { most: Limit::ALL.map(default_most) }
    }
}

fn default_most(limit: Limit) -> u64 {
    const MIB: u64 = 1 << 20;
    match limit {
        Limit::ComponentBytes => 64 * MIB,
        Limit::CoreModules => 64,
        Limit::Components => 256,
        Limit::ComponentNesting => 8,
        Limit::ComponentTypes => 20_000,
        Limit::ComponentTypeMembers => 200_000,
        // Nine levels with ten instances each are a billion definitions in a few kilobytes.
        Limit::Definitions => 100_000,
        Limit::Imports => 512,
        Limit::Exports => 1_024,
        // CPython's libraries are linked by name: 918 imports and 1 857 exports were seen.
        Limit::CoreImports => 4_096,
        Limit::CoreExports => 8_192,
        Limit::Functions => 50_000,
        Limit::Types => 10_000,
        Limit::ParamsResults => 64,
        Limit::Globals => 10_000,
        // A snapshot of an initialised JavaScript engine has exactly 10 000: the tool stops there.
        Limit::DataSegments => 10_000,
        Limit::DataSegmentsTotal => 20_000,
        Limit::ElementItems => 1_000_000,
        Limit::BodyBytes => 512 << 10,
        Limit::Locals => 10_000,
        // A switch nests a block for each case: 781 in CPython. 4 096 compile in 0.1 s; it is loops
        // that cost.
        Limit::BlockNesting => 2_048,
        Limit::LoopNesting => 100,
        Limit::BrTable => 65_520,
        Limit::BrTableTotal => 200_000,
        Limit::Memories => 8,
        Limit::Memory => 32 * MIB,
        Limit::Tables => 16,
        Limit::TableElements => 20_000,
    }
}
