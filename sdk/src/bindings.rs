//! What wit-bindgen makes of `wit/`: the only place that speaks the component model.
//!
//! Types and imports are made once; each export is a world of its own, so that a handler which
//! only answers messages exports nothing else. The symbols and type information of an export are
//! written by its `export_…!` macro, in the handler's crate and only where its attribute stands.
//! Imports that a handler does not call leave no trace in its component.

// JUSTIFICATION: wit-bindgen's code reads and writes linear memory as the canonical ABI lays it
// out; there is no other way across the component's wall, and none of it is written by hand.
// SAFETY: host and guest agree on that layout because wit-component checks the module against the
// type information which comes from the same `wit/`. Its docs are the contract's, its style its own.
#![allow(unsafe_code, missing_docs, unused, clippy::all)]

/// Types and imports.
pub mod imports {
    wit_bindgen::generate!({
        path: "../wit",
        inline: "
            package hookswitch:sdk;

            world sdk {
                include hookswitch:handler/imports@0.1.0;
                import hookswitch:handler/types@0.1.0;
                import wasi:clocks/wall-clock@0.2.0;
                import wasi:random/random@0.2.0;
                import wasi:http/outgoing-handler@0.2.0;
            }
        ",
        generate_all,
        generate_unused_types: true,
    });
}

/// One export of the contract, with the types and imports from above.
macro_rules! export {
    ($(#[$doc:meta])* $module:ident, $world:literal, $macro:literal, $path:literal) => {
        $(#[$doc])*
        pub mod $module {
            wit_bindgen::generate!({
                path: "../wit",
                world: $world,
                with: {
                    "hookswitch:handler/types@0.1.0": crate::bindings::imports::hookswitch::handler::types,
                    "hookswitch:handler/log@0.1.0": crate::bindings::imports::hookswitch::handler::log,
                    "hookswitch:handler/config@0.1.0": crate::bindings::imports::hookswitch::handler::config,
                    "hookswitch:handler/carrier@0.1.0": crate::bindings::imports::hookswitch::handler::carrier,
                    "hookswitch:handler/secrets@0.1.0": crate::bindings::imports::hookswitch::handler::secrets,
                    "hookswitch:handler/session@0.1.0": crate::bindings::imports::hookswitch::handler::session,
                    "hookswitch:handler/store@0.1.0": crate::bindings::imports::hookswitch::handler::store,
                },
                pub_export_macro: true,
                export_macro_name: $macro,
                default_bindings_module: $path,
                runtime_path: "::hookswitch_sdk::__private::rt",
            });
        }
    };
}

export!(
    /// The export `voice`.
    voice,
    "hookswitch:handler/voice-handler",
    "export_voice",
    "::hookswitch_sdk::__private::bindings::voice"
);
export!(
    /// The export `messaging`.
    messaging,
    "hookswitch:handler/messaging-handler",
    "export_messaging",
    "::hookswitch_sdk::__private::bindings::messaging"
);
export!(
    /// The export `events`.
    events,
    "hookswitch:handler/events-handler",
    "export_events",
    "::hookswitch_sdk::__private::bindings::events"
);

/// The export `wasi:http/incoming-handler`, with the types and imports from above.
pub mod web {
    wit_bindgen::generate!({
        path: "../wit",
        world: "hookswitch:handler/web-handler",
        with: {
            "hookswitch:handler/log@0.1.0": crate::bindings::imports::hookswitch::handler::log,
            "hookswitch:handler/config@0.1.0": crate::bindings::imports::hookswitch::handler::config,
            "wasi:http/types@0.2.0": crate::bindings::imports::wasi::http::types,
            "wasi:io/error@0.2.0": crate::bindings::imports::wasi::io::error,
            "wasi:io/poll@0.2.0": crate::bindings::imports::wasi::io::poll,
            "wasi:io/streams@0.2.0": crate::bindings::imports::wasi::io::streams,
            "wasi:clocks/monotonic-clock@0.2.0": crate::bindings::imports::wasi::clocks::monotonic_clock,
        },
        pub_export_macro: true,
        export_macro_name: "export_web",
        default_bindings_module: "::hookswitch_sdk::__private::bindings::web",
        runtime_path: "::hookswitch_sdk::__private::rt",
    });
}
