//! `hookswitch status`: what is in force for a handler, and how it does.

use clap::Args;

use super::deploy::{handler_name, url_rows};
use super::remote::output::{Cell, Paint, Table, fields, percent, printable};
use super::remote::{Console, RemoteCommand, RemoteError, Session, TenantArgs};
use crate::call::HandlerName;
use crate::control::model::{CanaryView, HandlerView, ServingView};
use crate::release::{ReleaseChange, ReleaseRisk};

/// Draining revisions without a call that are shown: whoever deploys all day has hundreds, and looks for the others.
const IDLE_SHOWN: usize = 5;

/// Show what is in force and how it does: of one handler, or of all in short
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hookswitch status --tenant acme\n  hookswitch status front-desk --tenant acme --json"
)]
pub struct StatusArgs {
    /// The handler; left out, all of the tenant
    #[arg(value_parser = handler_name)]
    handler: Option<HandlerName>,
    /// Print JSON: one object, or an array where no handler is named
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: TenantArgs,
}

impl RemoteCommand for StatusArgs {
    async fn run(self, session: &Session<'_>) -> Result<(), RemoteError> {
        let (client, console) = (session.connect_for_tenant(&self.remote)?, session.console);
        let tenant = client.tenant().await?;
        let handlers = ["tenants", tenant.as_str(), "handlers"];
        if let Some(handler) = &self.handler {
            let [tenants, tenant, handlers] = handlers;
            let view: HandlerView = client.get(&[tenants, tenant, handlers, handler.as_str()]).await?;
            if self.json {
                return console.json(&view);
            }
            console.print(one(console, &view));
            return Ok(());
        }
        let views: Vec<HandlerView> = client.get(&handlers).await?;
        if self.json {
            return console.json(&views);
        }
        if views.is_empty() {
            console.note(format_args!(
                "{tenant} has no handler yet; `hookswitch deploy --tenant {tenant}` makes one"
            ));
            return Ok(());
        }
        console.print(all(console, &views));
        if let Some(why) = views.iter().find_map(|view| view.registry.as_ref()) {
            console.note(format_args!("changes wait and CHANGED is not known: {}", printable(why)));
        }
        Ok(())
    }
}

/// A line for each handler.
fn all(console: &Console, views: &[HandlerView]) -> String {
    let mut table = Table::new([
        "HANDLER",
        ">STABLE",
        ">CANARY",
        ">CALLS",
        ">WEBHOOKS",
        ">FAILED",
        "BREAKER",
        "NUMBERS",
        "CHANGED",
    ]);
    for view in views {
        let sum = |count: fn(&ServingView) -> u64| view.serving.iter().map(count).sum::<u64>();
        let (webhooks, failed) = (sum(|serving| serving.webhooks), sum(|serving| serving.failed));
        let canary = view.canary.as_ref();
        // One that is not closed is what people look for.
        let breaker =
            view.serving.iter().map(|serving| &*serving.breaker).find(|breaker| *breaker != "closed");
        table.row([
            (&view.handler).into(),
            view.stable.into(),
            Cell::painted(
                canary
                    .map(|canary| format!("{} ({})", canary.revision, percent(canary.percent)))
                    .unwrap_or_default(),
                Some(Paint::Warn),
            ),
            sum(|serving| serving.calls).into(),
            webhooks.into(),
            Cell::painted(failures(failed, webhooks), (failed > 0).then_some(Paint::Bad)),
            Cell::painted(breaker.unwrap_or("closed"), breaker.map(|_| Paint::Bad)),
            view.numbers.join(" ").into(),
            view.history.first().map(|change| console.moment(&change.at)).unwrap_or_default().into(),
        ]);
    }
    table.render(console, 0)
}

/// All about one handler.
fn one(console: &Console, view: &HandlerView) -> String {
    let mut text = format!("{}\n", printable(&format!("{}/{}", view.tenant, view.handler)));
    let mut rows: Vec<_> = url_rows(&view.urls).collect();
    rows.push(("numbers", view.numbers.join(", ")));
    if let Some(why) = &view.registry {
        rows.push(("registry", format!("changes wait and the history is not known: {why}")));
    }
    text.push_str(&fields(&rows));
    let mut table =
        Table::new([">REVISION", "STATE", ">SHARE", ">CALLS", ">WEBHOOKS", ">FAILED", "BREAKER", "KEPT"]);
    let idle = |serving: &&ServingView| serving.state == "draining" && serving.calls == 0;
    let left_out = view.serving.iter().filter(idle).count().saturating_sub(IDLE_SHOWN);
    let mut shown = 0;
    for serving in &view.serving {
        if idle(&serving) {
            shown += 1;
            if shown > IDLE_SHOWN {
                continue;
            }
        }
        table.row([
            serving.revision.into(),
            Cell::painted(&serving.state, paint_of_state(&serving.state)),
            percent(serving.percent).into(),
            serving.calls.into(),
            serving.webhooks.into(),
            Cell::painted(
                failures(serving.failed, serving.webhooks),
                (serving.failed > 0).then_some(Paint::Bad),
            ),
            Cell::painted(&serving.breaker, (serving.breaker != "closed").then_some(Paint::Bad)),
            serving.until.as_ref().map(|until| console.moment(until)).unwrap_or_default().into(),
        ]);
    }
    text.push('\n');
    text.push_str(&table.render(console, 2));
    if left_out > 0 {
        text.push_str(&format!(
            "  and {left_out} older draining without calls; `hookswitch revisions` lists all\n"
        ));
    }
    if !view.schedules.is_empty() {
        let mut table = Table::new(["SCHEDULE", "CRON", "TIME ZONE", "NEXT", "LAST", "STATE"]);
        for schedule in &view.schedules {
            let last = schedule.last.as_ref();
            let state = last.map(|last| last.state.as_str()).unwrap_or_default();
            let paint = matches!(state, "failed" | "again" | "missed").then_some(Paint::Bad);
            table.row([
                (&schedule.name).into(),
                (&schedule.cron).into(),
                (&schedule.timezone).into(),
                schedule.next.first().map(|at| console.moment(at)).unwrap_or_default().into(),
                last.map(|last| console.moment(&last.at)).unwrap_or_default().into(),
                Cell::painted(state, paint),
            ]);
        }
        text.push('\n');
        text.push_str(&table.render(console, 2));
    }
    if let Some(canary) = &view.canary {
        text.push('\n');
        text.push_str(&trial(console, canary));
    }
    if !view.history.is_empty() {
        let mut table = Table::new(["HISTORY", "WHAT", ">REVISION", "BY", "WHY"]);
        for change in &view.history {
            let (what, paint) = said(change.change);
            table.row([
                console.moment(&change.at).into(),
                Cell::painted(what, paint),
                change.revision.into(),
                (&change.by).into(),
                (&change.reason).into(),
            ]);
        }
        text.push('\n');
        text.push_str(&table.render(console, 2));
    }
    text
}

/// How far a canary is and what it waits for.
fn trial(console: &Console, canary: &CanaryView) -> String {
    let headline = format!("canary {}, step {} of {}", canary.revision, canary.step, canary.steps);
    let rows = [
        (
            "takes",
            format!("{} of new calls, since {}", percent(canary.percent), console.moment(&canary.started_at)),
        ),
        ("risk", format!("{}: {}", risk(canary.risk), canary.reason)),
        ("so far", canary.judgement.clone()),
        ("waits for", canary.waits_for.clone()),
    ];
    format!("{}\n{}", console.paint(Paint::Warn, &headline), fields(&rows))
}

/// `0`, `3 (0.4 %)`.
fn failures(failed: u64, webhooks: u64) -> String {
    if failed == 0 || webhooks == 0 {
        return failed.to_string();
    }
    let share = failed as f64 * 100.0 / webhooks as f64;
    if share < 0.1 { format!("{failed} (<0.1 %)") } else { format!("{failed} ({share:.1} %)") }
}

/// The word for a risk.
pub(super) fn risk(risk: ReleaseRisk) -> &'static str {
    match risk {
        ReleaseRisk::Content => "content",
        ReleaseRisk::Code => "code",
        ReleaseRisk::Contract => "contract",
    }
}

/// The words for a change, and their colour.
pub(super) fn said(change: ReleaseChange) -> (&'static str, Option<Paint>) {
    match change {
        ReleaseChange::Released => ("released", Some(Paint::Good)),
        ReleaseChange::CanaryStarted => ("canary started", Some(Paint::Warn)),
        ReleaseChange::CanaryStepped => ("canary stepped", Some(Paint::Warn)),
        ReleaseChange::Promoted => ("promoted", Some(Paint::Good)),
        ReleaseChange::RolledBack => ("rolled back", Some(Paint::Warn)),
        ReleaseChange::TakenBack => ("taken back", Some(Paint::Bad)),
    }
}

/// The colour of `stable`, `canary`, `draining` and `kept`.
pub(super) fn paint_of_state(state: &str) -> Option<Paint> {
    match state {
        "stable" => Some(Paint::Good),
        "canary" => Some(Paint::Warn),
        "draining" | "kept" => Some(Paint::Dim),
        _ => None,
    }
}
