//! A conversation by message.

use std::error::Error;

use super::screen::Screen;
use super::{CallArgs, is_terminal};
use crate::clock;
use crate::phone::line::Line;
use crate::phone::messages::{Delivery, MessageSettings, Texting, Written};
use crate::phone::{Account, Event, Faults, Ids, Target};

/// Writes what the command line says; where that is one empty text on a terminal, what somebody types, until Ctrl-D.
pub(super) async fn talk<L: Line>(
    args: &CallArgs,
    line: &L,
    account: Account,
    sms: Target,
    fallback: Option<Target>,
    screen: &Screen,
) -> Result<Vec<Event>, Box<dyn Error>> {
    let settings = MessageSettings {
        from: args.from.clone(),
        to: args.to.clone(),
        sms,
        fallback,
        service: None,
        params: Vec::new(),
        began_unix_ms: clock::unix_ms(),
    };
    let mut texting = Texting::new(line, account, Ids::random()?, Faults::default(), settings);
    let mut shown = 0;
    let asks = matches!(args.text.as_slice(), [only] if only.is_empty()) && is_terminal() && !args.json;
    let mut given = args.text.iter().cloned();
    let mut media = args.media.clone();
    while let Some(body) = if asks { screen.ask("your message>").await } else { given.next() } {
        texting
            .write(&Written { body, media: std::mem::take(&mut media), delivery: Delivery::Delivered })
            .await;
        texting.events.iter().skip(shown).for_each(|event| screen.show(event));
        shown = texting.events.len();
    }
    texting.finish().await;
    texting.events.iter().skip(shown).for_each(|event| screen.show(event));
    Ok(texting.events)
}
