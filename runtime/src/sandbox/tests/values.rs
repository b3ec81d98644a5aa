//! Values that can't be, handed across the boundary; addresses that are not there.

use super::guest::Guest;
use super::{House, code};

const LOG: &str = r#"(import "hookswitch:handler/log@0.1.0" "write" (func $log (param i32 i32 i32)))"#;

#[tokio::test]
async fn a_value_that_cannot_be_is_a_trap() {
    let house = House::new();
    let cases = [
        ("result discriminant 2", "", "(i32.store8 (i32.const 1024) (i32.const 2)) (i32.const 1024)"),
        ("result beyond memory", "", "(i32.const 65530)"),
        ("unaligned result", "", "(i32.const 1025)"),
        ("text beyond memory", "", "(call $text (i32.const 65000) (i32.const 10000))"),
        ("text at the end of all memory", "", "(call $text (i32.const 0xffffffff) (i32.const 0xffffffff))"),
        (
            "text that is not UTF-8",
            r#"(data (i32.const 100) "\ff\fe\c3\28")"#,
            "(call $text (i32.const 100) (i32.const 4))",
        ),
        (
            "half of a surrogate pair",
            r#"(data (i32.const 100) "\ed\a0\80")"#,
            "(call $text (i32.const 100) (i32.const 3))",
        ),
        ("level 4 of 4", "", "(call $log (i32.const 4) (i32.const 0) (i32.const 5)) (call $document)"),
        (
            "a log entry beyond memory",
            "",
            "(call $log (i32.const 1) (i32.const 65530) (i32.const 100)) (call $document)",
        ),
        (
            "a log entry that is not UTF-8",
            r#"(data (i32.const 100) "\80")"#,
            "(call $log (i32.const 1) (i32.const 100) (i32.const 1)) (call $document)",
        ),
        (
            "load at 2³²−1 with offset 2³²−1",
            "",
            "(drop (i64.load offset=4294967295 (i32.const -1))) (call $document)",
        ),
        ("store over the last byte", "", "(i64.store (i32.const 65529) (i64.const 1)) (call $document)"),
        ("division by zero", "", "(drop (i32.div_u (i32.const 1) (i32.const 0))) (call $document)"),
        ("a conversion that does not fit", "", "(drop (i32.trunc_f64_u (f64.const -1))) (call $document)"),
    ];
    for (what, fields, answer) in cases {
        let guest = Guest { imports: LOG, fields, answer, memory: "1" };
        let outcome = house.try_out(&guest.build()).await;
        assert_eq!(code(&outcome), "HS202", "{what}: {:?}", outcome.result);
        assert!(outcome.result.unwrap_err().trap().is_some_and(|trap| !trap.message.is_empty()), "{what}");
    }
}

#[tokio::test]
async fn unaligned_access_up_to_the_last_byte_is_fine() {
    let house = House::new();
    let answer = "(i64.store (i32.const 65528) (i64.load (i32.const 65521))) (call $document)";
    assert_eq!(code(&house.try_out(&Guest::answering(answer)).await), "ok");
}

#[tokio::test]
async fn an_allocator_that_lies_is_a_trap() {
    let house = House::new();
    for place in ["0xffffff00", "65530", "4294967295"] {
        let module =
            Guest::default().module().replace("(local.get $place))", &format!("(i32.const {place}))"));
        let component = super::guest::component(&module, "export hookswitch:handler/voice@0.1.0;");
        assert_eq!(code(&house.try_out(&component).await), "HS202", "{place}");
    }
}

#[tokio::test]
async fn a_trap_in_the_start_function_is_a_trap() {
    let house = House::new();
    let fields = "(func $start unreachable) (start $start)";
    let error = house.try_out(&Guest { fields, ..Guest::default() }.build()).await.result.unwrap_err();
    assert_eq!(error.code(), "HS202");
    assert_eq!(error.trap().unwrap().frames, ["guest!start"]);
}

#[tokio::test]
async fn frames_are_named_and_demangled() {
    let house = House::new();
    let fields = "(func $_ZN10front_desk4menu17h0123456789abcdefE unreachable)";
    let answer = "(call $_ZN10front_desk4menu17h0123456789abcdefE) (call $document)";
    let guest = Guest { fields, answer, ..Guest::default() };
    let error = house.try_out(&guest.build()).await.result.unwrap_err();
    assert_eq!(error.trap().unwrap().frames, ["guest!front_desk::menu", "guest!answer"]);
    assert!(error.to_string().contains("unreachable"), "{error}");
    assert!(error.to_string().contains("front_desk::menu"), "{error}");
}

#[tokio::test]
async fn a_document_of_three_mebibytes_is_not_copied() {
    let house = House::new();
    let answer = "(call $text (i32.const 0) (i32.const 3145728))";
    let guest = Guest { answer, memory: "64", ..Guest::default() };
    let error = house.try_out(&guest.build()).await.result.unwrap_err();
    assert_eq!(error.code(), "HS214");
    assert!(error.to_string().contains("2097152 bytes copied to the host"), "{error}");
}
