//! Reads a component of the encoder's, and recognises which of its parts does what.
//!
//! The order is always the same: imports; the modules main, shim and fixup; the shim's instance; one instance of stand-ins
//! for each imported interface; the main instance; the lowered imports, which the fixup puts into the shim's table; lifted exports.

use std::collections::HashMap;

use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentAlias, ComponentExport, ComponentExternalKind,
    ComponentInstance, ComponentTypeRef, Encoding, ExternalKind, Instance, Parser, Payload,
};

use super::Unfamiliar;

/// The number of the guest's module.
pub const MAIN_MODULE: u32 = 0;
/// The number of the module with the table of stand-ins.
pub const SHIM_MODULE: u32 = 1;
const FIXUP_MODULE: u32 = 2;
/// The number of the shim's instance.
pub const SHIM_INSTANCE: u32 = 0;

/// A component in parts.
pub struct Parts<'a> {
    /// All parts, in their order.
    pub list: Vec<Part<'a>>,
    /// The guest's module.
    pub main: &'a [u8],
    /// The guest's export that finds room for what imports return; none if none returns anything that needs room.
    pub realloc: Option<&'a str>,
}

/// One definition, or a section that holds no number of a function.
pub struct Part<'a> {
    pub item: Item<'a>,
    pub role: Role,
    /// The number of the function it defines, if it defines one.
    pub defines: Option<Function>,
}

/// The number of a function, in one of two countings.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    Core(u32),
    Component(u32),
}

/// What stands in the component.
pub enum Item<'a> {
    Raw { id: u8, data: &'a [u8] },
    Module(&'a [u8]),
    CoreInstance(Instance<'a>),
    Alias(ComponentAlias<'a>),
    Canonical(CanonicalFunction),
    Instance(ComponentInstance<'a>),
    Export(ComponentExport<'a>),
}

/// What it is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    MainModule,
    ShimModule,
    ShimInstance,
    MainInstance,
    /// What the guest calls in place of an import; `lower` is the place of what it stands for.
    StandIn {
        lower: usize,
    },
    /// Needed only because of the shim: what fills it and what is filled in, and the memory that this had to wait for.
    Knot,
    /// Everything else.
    Other,
}

impl<'a> Parts<'a> {
    /// Reads `component`.
    pub fn read(component: &'a [u8]) -> Result<Self, Unfamiliar> {
        let mut parts = Self { list: Vec::new(), main: &[], realloc: None };
        for item in items(component)? {
            let defines = parts.function_of(&item);
            parts.list.push(Part { item, role: Role::Other, defines });
        }
        parts.recognise()?;
        Ok(parts)
    }

    /// Where a function is defined.
    pub fn definition(&self, function: Function) -> Option<usize> {
        self.list.iter().position(|part| part.defines == Some(function))
    }

    /// The number of the function that `item` defines as the next part of the list.
    fn function_of(&self, item: &Item<'_>) -> Option<Function> {
        let count = |same: fn(&Function) -> bool| {
            let defined = self.list.iter().filter_map(|part| part.defines.as_ref());
            u32::try_from(defined.filter(|function| same(function)).count()).ok()
        };
        match item {
            Item::Alias(ComponentAlias::CoreInstanceExport { kind: ExternalKind::Func, .. }) => {
                count(|function| matches!(function, Function::Core(_))).map(Function::Core)
            }
            Item::Canonical(CanonicalFunction::Lift { .. })
            | Item::Alias(ComponentAlias::InstanceExport { kind: ComponentExternalKind::Func, .. })
            | Item::Export(ComponentExport { kind: ComponentExternalKind::Func, .. }) => {
                count(|function| matches!(function, Function::Component(_))).map(Function::Component)
            }
            Item::Canonical(_) => count(|function| matches!(function, Function::Core(_))).map(Function::Core),
            _ => None,
        }
    }

    fn recognise(&mut self) -> Result<(), Unfamiliar> {
        let places = |wanted: fn(&Item<'_>) -> bool| -> Vec<usize> {
            let of_kind = self.list.iter().enumerate().filter(|(_, part)| wanted(&part.item));
            of_kind.map(|(place, _)| place).collect()
        };
        let modules = places(|item| matches!(item, Item::Module(_)));
        let instances = places(|item| matches!(item, Item::CoreInstance(_)));
        let &[main, shim, fixup] = modules.as_slice() else {
            return Err(Unfamiliar("not the three modules of a guest with imports that need its memory"));
        };
        let &[shim_instance, .., main_instance, lowered, fixup_instance] = instances.as_slice() else {
            return Err(Unfamiliar("too few core instances"));
        };
        let number = |place| {
            instances.iter().position(|at| *at == place).and_then(|number| u32::try_from(number).ok())
        };
        let (Some(main_number), Some(lowered_number)) = (number(main_instance), number(lowered)) else {
            return Err(Unfamiliar("too many core instances"));
        };

        match self.instantiated(shim_instance) {
            Some((SHIM_MODULE, [])) => {}
            _ => return Err(Unfamiliar("a first instance that is not the shim")),
        }
        match self.instantiated(main_instance) {
            Some((MAIN_MODULE, _)) => {}
            _ => return Err(Unfamiliar("a main instance at another place")),
        }
        match self.instantiated(fixup_instance) {
            Some((FIXUP_MODULE, [one, other]))
                if [one.index, other.index] == [lowered_number, SHIM_INSTANCE]
                    || [other.index, one.index] == [lowered_number, SHIM_INSTANCE] => {}
            _ => return Err(Unfamiliar("a last instance that is not the fixup")),
        }
        let Item::Module(main_module) = self.list[main].item else {
            return Err(Unfamiliar("a main module that is none"));
        };
        self.main = main_module;
        for (place, role) in [
            (main, Role::MainModule),
            (shim, Role::ShimModule),
            (shim_instance, Role::ShimInstance),
            (main_instance, Role::MainInstance),
            (fixup, Role::Knot),
            (lowered, Role::Knot),
            (fixup_instance, Role::Knot),
        ] {
            self.list[place].role = role;
        }
        let lowered = self.lowered(lowered)?;
        self.recognise_core_exports(main_number, lowered)?;
        self.realloc = self.find_realloc(main_number)?;
        Ok(())
    }

    /// The module and the arguments of a core instance.
    fn instantiated(&self, place: usize) -> Option<(u32, &[wasmparser::InstantiationArg<'a>])> {
        match &self.list.get(place)?.item {
            Item::CoreInstance(Instance::Instantiate { module_index, args }) => Some((*module_index, args)),
            _ => None,
        }
    }

    /// What the fixup is given: the places of the lowered imports, by the names of their stand-ins.
    fn lowered(&self, place: usize) -> Result<HashMap<&'a str, usize>, Unfamiliar> {
        let Item::CoreInstance(Instance::FromExports(exports)) = &self.list[place].item else {
            return Err(Unfamiliar("lowered imports that are not bundled"));
        };
        let mut lowered = HashMap::new();
        for export in exports {
            let place = self
                .definition(Function::Core(export.index))
                .ok_or(Unfamiliar("an import that is not there"))?;
            match &self.list[place].item {
                Item::Canonical(CanonicalFunction::Lower { .. }) if export.kind == ExternalKind::Func => {}
                // Destructors of resources, for example.
                _ => return Err(Unfamiliar("a stand-in for something other than an import")),
            }
            lowered.insert(export.name, place);
        }
        Ok(lowered)
    }

    /// Sorts what is taken out of core instances: stand-ins, the memory, functions of the guest.
    fn recognise_core_exports(
        &mut self,
        main: u32,
        mut lowered: HashMap<&'a str, usize>,
    ) -> Result<(), Unfamiliar> {
        let mut memories = 0;
        for place in 0..self.list.len() {
            let Item::Alias(ComponentAlias::CoreInstanceExport { kind, instance_index, name }) =
                self.list[place].item
            else {
                continue;
            };
            self.list[place].role = match kind {
                ExternalKind::Func if instance_index == SHIM_INSTANCE => {
                    let lower = lowered.remove(name).ok_or(Unfamiliar("a stand-in for nothing"))?;
                    self.list[lower].role = Role::Knot;
                    Role::StandIn { lower }
                }
                ExternalKind::Func if instance_index == main => Role::Other,
                ExternalKind::Memory if instance_index == main => {
                    memories += 1;
                    Role::Knot
                }
                _ => return Err(Unfamiliar("something else taken from a core instance")),
            };
        }
        if memories == 1 && lowered.is_empty() {
            Ok(())
        } else {
            Err(Unfamiliar("not one memory, or an import without a stand-in"))
        }
    }

    /// The one function with which all lowered imports find room.
    fn find_realloc(&self, main: u32) -> Result<Option<&'a str>, Unfamiliar> {
        let mut found = None;
        for part in self.list.iter().filter(|part| part.role == Role::Knot) {
            let Item::Canonical(CanonicalFunction::Lower { options, .. }) = &part.item else {
                continue;
            };
            for option in options {
                let CanonicalOption::Realloc(function) = option else {
                    continue;
                };
                let place =
                    self.definition(Function::Core(*function)).ok_or(Unfamiliar("no such realloc"))?;
                match self.list[place].item {
                    Item::Alias(ComponentAlias::CoreInstanceExport { instance_index, name, .. })
                        if instance_index == main && found.is_none_or(|earlier| earlier == name) =>
                    {
                        found = Some(name);
                    }
                    _ => return Err(Unfamiliar("a realloc from elsewhere, or two of them")),
                }
            }
        }
        Ok(found)
    }
}

/// The definitions of the outermost component, one by one.
fn items(component: &[u8]) -> Result<Vec<Item<'_>>, Unfamiliar> {
    let mut items = Vec::new();
    // Modules and components inside are kept whole; their own sections come as payloads, too.
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        let section = payload.as_section();
        let raw = |section: Option<(u8, std::ops::Range<usize>)>| {
            let (id, range) = section?;
            Some((id, component.get(range)?))
        };
        match payload {
            Payload::Version { encoding: Encoding::Module | Encoding::Component, .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ if depth > 1 => {}
            Payload::ModuleSection { .. } => {
                let (_, module) = raw(section).ok_or(Unfamiliar("a module cut off"))?;
                items.push(Item::Module(module));
            }
            Payload::InstanceSection(section) => push_all(&mut items, section, Item::CoreInstance)?,
            Payload::ComponentAliasSection(section) => push_all(&mut items, section, Item::Alias)?,
            Payload::ComponentCanonicalSection(section) => push_all(&mut items, section, Item::Canonical)?,
            Payload::ComponentInstanceSection(section) => push_all(&mut items, section, Item::Instance)?,
            Payload::ComponentExportSection(section) => push_all(&mut items, section, Item::Export)?,
            Payload::ComponentImportSection(imports) => {
                for import in imports {
                    if matches!(import?.ty, ComponentTypeRef::Func(_)) {
                        return Err(Unfamiliar("an imported function outside of an interface"));
                    }
                }
                items.extend(raw(section).map(|(id, data)| Item::Raw { id, data }));
            }
            // Names of numbers that are about to change.
            Payload::CustomSection(custom) if custom.name() == "component-name" => {}
            Payload::ComponentTypeSection(_)
            | Payload::ComponentSection { .. }
            | Payload::CustomSection(_) => {
                items.extend(raw(section).map(|(id, data)| Item::Raw { id, data }));
            }
            _ => return Err(Unfamiliar("a section of another kind")),
        }
    }
    Ok(items)
}

fn push_all<'a, T: wasmparser::FromReader<'a>>(
    items: &mut Vec<Item<'a>>,
    section: wasmparser::SectionLimited<'a, T>,
    item: fn(T) -> Item<'a>,
) -> Result<(), Unfamiliar> {
    for found in section {
        items.push(item(found?));
    }
    Ok(())
}
