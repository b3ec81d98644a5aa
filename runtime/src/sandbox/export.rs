//! What a handler may export, and the calls of it.
//!
//! The types of an export are checked once, when its component is loaded. An [`Export`] is the proof of that check,
//! so a call need not repeat it.

use std::marker::PhantomData;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{ComponentExportIndex, Instance, InstancePre, Lift, Lower, TypedFunc};
use wasmtime::{Store, format_err};

use super::contract::{Call, Event, Failure, Message};
use super::store::State;

/// One interface of `wit/` that handlers export, with its one function.
pub(crate) trait Interface {
    /// The interface's name.
    const NAME: &'static str;
    /// The function's name.
    const FUNCTION: &'static str;
    /// What it takes.
    type Parameter<'a>: Lower + Send + Sync;
    /// What it returns when it does not fail.
    type Answer: Lift + Send + Sync + 'static;
}

/// `wit/voice.wit`.
pub(crate) enum Voice {}

impl Interface for Voice {
    const NAME: &'static str = "hookswitch:handler/voice@0.1.0";
    const FUNCTION: &'static str = "answer";
    type Parameter<'a> = Call<'a>;
    type Answer = String;
}

/// `wit/messaging.wit`.
pub(crate) enum Messaging {}

impl Interface for Messaging {
    const NAME: &'static str = "hookswitch:handler/messaging@0.1.0";
    const FUNCTION: &'static str = "receive";
    type Parameter<'a> = Message<'a>;
    type Answer = String;
}

/// `wit/events.wit`.
pub(crate) enum Events {}

impl Interface for Events {
    const NAME: &'static str = "hookswitch:handler/events@0.1.0";
    const FUNCTION: &'static str = "notify";
    type Parameter<'a> = Event<'a>;
    type Answer = ();
}

type Parameters<'a, I> = (<I as Interface>::Parameter<'a>,);
type Results<I> = (Result<<I as Interface>::Answer, Failure>,);

/// An exported function whose types were found to be those of `I`.
pub(crate) struct Export<I> {
    index: ComponentExportIndex,
    checked: PhantomData<fn() -> I>,
}

impl<I: Interface> Export<I> {
    /// Finds the function and checks its types; none if the component does not export the interface.
    ///
    /// # Errors
    /// It exports the interface and has another function or other types in it.
    pub(crate) fn find(instance: &InstancePre<State>) -> wasmtime::Result<Option<Self>> {
        let component = instance.component();
        let Some(interface) = component.get_export_index(None, I::NAME) else {
            return Ok(None);
        };
        match component.get_export(Some(&interface), I::FUNCTION) {
            Some((ComponentItem::ComponentFunc(found), index)) => {
                found.typecheck::<Parameters<'_, I>, Results<I>>(&instance.instance_type())?;
                Ok(Some(Self { index, checked: PhantomData }))
            }
            Some(_) => Err(format_err!("`{}` is not a function", I::FUNCTION)),
            None => Err(format_err!("it has no function `{}`", I::FUNCTION)),
        }
    }

    /// Calls the function in `instance`.
    pub(super) async fn call(
        &self,
        store: &mut Store<State>,
        instance: &Instance,
        parameter: I::Parameter<'_>,
    ) -> wasmtime::Result<Result<I::Answer, Failure>> {
        let Some(function) = instance.get_func(&mut *store, self.index) else {
            return Err(format_err!("the instance is not of the component that was checked"));
        };
        // JUSTIFICATION: checking the types again costs each invocation 0.25 µs (bench `sandbox`, "call").
        // SAFETY: `new_unchecked` asks that the function has these types. `find`, the only maker of `Self`, checked
        // exactly these, and an index finds nothing but in an instance of the component it was made for.
        #[allow(unsafe_code)]
        let function = unsafe { TypedFunc::<Parameters<'_, I>, Results<I>>::new_unchecked(function) };
        let (result,) = function.call_async(store, (parameter,)).await?;
        Ok(result)
    }
}
