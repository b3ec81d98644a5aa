//! Answers web requests as the path says, and hears the runs of its schedules.

use hookswitch_sdk::prelude::*;

#[voice]
fn answer(_call: &Call) -> Result<Document, Error> {
    Ok(Document::new().say("hello"))
}

#[events]
fn notify(event: &Event) -> Result<(), Error> {
    let Some(run) = event.run() else { bail!("no run: {}", event.status()) };
    log::info!("ran {} {} attempt {}", run.name(), run.id(), run.attempt());
    if run.name() == "fails-once" && run.attempt() == 1 {
        bail!("as asked");
    }
    Ok(())
}

#[web]
fn page(request: &web::Request) -> Result<web::Response, Error> {
    let number = |name: &str| request.query().get(name).and_then(|text| text.parse::<u16>().ok());
    Ok(match request.segments().as_slice() {
        [] => web::Response::html("<p>hello</p>"),
        ["echo", ..] => {
            let header = |name: &str| request.header(name).unwrap_or("-").to_owned();
            let lines = [
                request.method().to_owned(),
                request.path().to_owned(),
                request.query().form().to_owned(),
                request.link("/x"),
                request.client().to_owned(),
                header("x-own"),
                header("connection"),
                header("x-hookswitch-forged"),
                request.body().len().to_string(),
                String::from_utf8_lossy(&request.body()[..request.body().len().min(20)]).into_owned(),
            ];
            web::Response::text(lines.join("\n"))
        }
        ["status"] => {
            let status = number("code").unwrap_or(200);
            web::Response::text("a body").with_status(status).with_header("x-own", "1")
        }
        ["header"] => {
            web::Response::empty(204).with_header(request.query().get("name").unwrap_or_default(), "1")
        }
        ["large"] => {
            let kib = usize::from(number("kib").unwrap_or_default());
            web::Response::of("application/octet-stream", vec![b'x'; kib * 1024 + 1])
        }
        ["options"] => web::Response::empty(204).with_header("access-control-allow-origin", "*"),
        ["fail"] => bail!("as asked"),
        ["panic"] => panic!("as asked"),
        ["spin"] => loop {
            std::hint::black_box(());
        },
        _ => web::Response::not_found(),
    })
}
