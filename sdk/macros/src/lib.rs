//! The attributes `#[voice]`, `#[messaging]`, `#[events]` and `#[web]`: a plain function becomes an export.
//!
//! Each writes only its own export, so that a handler has exactly those it asks for, and leaves the
//! function as it is, so that tests call it natively. Documented where they are re-exported.

use proc_macro::TokenStream;
use quote::{format_ident, quote};
use syn::{ItemFn, parse_macro_input};

/// Makes a function answer voice webhooks: `fn(&Call) -> Result<Document, Error>`.
#[proc_macro_attribute]
pub fn voice(arguments: TokenStream, function: TokenStream) -> TokenStream {
    expand("voice", "answer", "Call", arguments, function)
}

/// Makes a function answer message webhooks: `fn(&Message) -> Result<Document, Error>`.
#[proc_macro_attribute]
pub fn messaging(arguments: TokenStream, function: TokenStream) -> TokenStream {
    expand("messaging", "receive", "Message", arguments, function)
}

/// Makes a function hear status callbacks: `fn(&Event) -> Result<(), Error>`.
#[proc_macro_attribute]
pub fn events(arguments: TokenStream, function: TokenStream) -> TokenStream {
    expand("events", "notify", "Event", arguments, function)
}

/// Makes a function answer web requests: `fn(&web::Request) -> Result<web::Response, Error>`.
#[proc_macro_attribute]
pub fn web(arguments: TokenStream, function: TokenStream) -> TokenStream {
    let function = parse_macro_input!(function as ItemFn);
    if let Err(error) = check("web", "web::Request", &arguments.into(), &function) {
        let error = error.into_compile_error();
        return quote!(#error #function).into();
    }
    let name = &function.sig.ident;
    quote! {
        #function

        const _: () = {
            struct Handler;

            impl ::hookswitch_sdk::__private::bindings::web::exports::wasi::http::incoming_handler::Guest for Handler {
                fn handle(
                    request: ::hookswitch_sdk::__private::http_types::IncomingRequest,
                    response_out: ::hookswitch_sdk::__private::http_types::ResponseOutparam,
                ) {
                    ::hookswitch_sdk::__private::export::handle(request, response_out, #name)
                }
            }

            #[cfg(not(target_arch = "wasm32"))]
            const _: Handler = Handler;

            #[cfg(target_arch = "wasm32")]
            ::hookswitch_sdk::__private::bindings::web::export_web!(
                Handler with_types_in ::hookswitch_sdk::__private::bindings::web
            );
        };
    }
    .into()
}

/// Leaves the function and adds the export that calls it. `entry` is the name of the contract's
/// function, `word` what it takes.
fn expand(
    interface: &str,
    entry: &str,
    word: &str,
    arguments: TokenStream,
    function: TokenStream,
) -> TokenStream {
    let function = parse_macro_input!(function as ItemFn);
    if let Err(error) = check(interface, word, &arguments.into(), &function) {
        let error = error.into_compile_error();
        return quote!(#error #function).into();
    }

    let name = &function.sig.ident;
    let interface = format_ident!("{interface}");
    let entry = format_ident!("{entry}");
    let word = format_ident!("{word}");
    let export = format_ident!("export_{interface}");
    let answer = if interface == "events" { quote!(()) } else { quote!(::std::string::String) };
    quote! {
        #function

        const _: () = {
            struct Handler;

            // On every target, so that a function of the wrong type is refused by `cargo test` too.
            impl ::hookswitch_sdk::__private::bindings::#interface::exports::hookswitch::handler::#interface::Guest for Handler {
                fn #entry(
                    webhook: ::hookswitch_sdk::__private::types::#word,
                ) -> ::core::result::Result<#answer, ::hookswitch_sdk::__private::types::Failure> {
                    ::hookswitch_sdk::__private::export::#entry(webhook, #name)
                }
            }

            // Otherwise the function counts as dead code wherever it is not exported.
            #[cfg(not(target_arch = "wasm32"))]
            const _: Handler = Handler;

            #[cfg(target_arch = "wasm32")]
            ::hookswitch_sdk::__private::bindings::#interface::#export!(
                Handler with_types_in ::hookswitch_sdk::__private::bindings::#interface
            );
        };
    }
    .into()
}

/// Refuses what would otherwise end in an error inside generated code.
fn check(
    interface: &str,
    word: &str,
    arguments: &proc_macro2::TokenStream,
    function: &ItemFn,
) -> syn::Result<()> {
    let signature = &function.sig;
    let expected = || {
        let answer = match interface {
            "events" => "()",
            "web" => "web::Response",
            _ => "Document",
        };
        format!("expected `fn {}(_: &{word}) -> Result<{answer}, Error>`", signature.ident)
    };
    if !arguments.is_empty() {
        return Err(syn::Error::new_spanned(arguments, format!("#[{interface}] takes no arguments")));
    }
    if let Some(asyncness) = signature.asyncness {
        return Err(syn::Error::new_spanned(
            asyncness,
            format!("#[{interface}] functions are not async; {}", expected()),
        ));
    }
    if !signature.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(
            &signature.generics,
            format!("#[{interface}] functions are not generic; {}", expected()),
        ));
    }
    if signature.inputs.len() != 1 {
        return Err(syn::Error::new_spanned(
            &signature.inputs,
            format!("#[{interface}] functions take one argument; {}", expected()),
        ));
    }
    Ok(())
}
