//! Faults of ours: a host function that panics ends one invocation.

use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::Component;

use super::guest::Guest;
use super::{House, State, code, sandbox};
use crate::sandbox::{Export, Limits, Prepared, RunError, Sandbox, Start};

/// A sandbox whose host offers one function more, which panics: at once, or after it has waited.
fn faulty_sandbox(wait: bool) -> Arc<Sandbox> {
    let mut sandbox = sandbox();
    let linker = &mut Arc::get_mut(&mut sandbox).unwrap().linker;
    let mut thing = linker.instance("acme:other/thing").unwrap();
    if wait {
        thing
            .func_wrap_async::<(), (), _>("do-it", |_: StoreContextMut<'_, State>, (): ()| {
                Box::new(async {
                    tokio::task::yield_now().await;
                    panic!("a fault after a wait")
                })
            })
            .unwrap();
    } else {
        thing
            .func_wrap("do-it", |_: StoreContextMut<'_, State>, (): ()| -> wasmtime::Result<()> {
                panic!("a fault")
            })
            .unwrap();
    }
    sandbox
}

#[tokio::test]
async fn a_panic_in_a_host_function_ends_one_invocation() {
    for (wait, message) in [(false, "a fault"), (true, "a fault after a wait")] {
        let house = House::on(faulty_sandbox(wait));
        let imports = r#"(import "acme:other/thing" "do-it" (func $panic))
            (import "hookswitch:handler/log@0.1.0" "write" (func $log (param i32 i32 i32)))"#;
        let answer = "(call $log (i32.const 1) (i32.const 0) (i32.const 9)) (call $panic) (call $document)";
        let bytes = Guest { imports, answer, ..Guest::default() }.build();
        // `load` refuses the import, so this is made ready by hand.
        let component = Component::from_binary(&house.sandbox.engine, &bytes).unwrap();
        let instance = house.sandbox.linker.instantiate_pre(&component).unwrap();
        let prepared = Prepared {
            voice: Export::find(&instance).unwrap(),
            instance,
            acts_at_carrier: false,
            start: Start::Running,
            has_session: false,
            messaging: None,
            events: None,
            web: None,
            imports: Vec::new(),
            memory_bytes_minimum: 0,
        };
        for _ in 0..3 {
            let outcome = house.run(&prepared, &Limits::default()).await;
            assert_eq!(outcome.result, Err(RunError::HostFault { message: message.into() }));
            assert_eq!(code(&outcome), "HS212");
            assert_eq!(outcome.log[0].text, "<Response", "the log outlives the fault");
            house.neighbour_is_answered().await;
            assert_eq!(house.sandbox.guest_memory_bytes(), 0);
        }
    }
}
