//! `scard trace`: what every client does with every card.

mod entry;
mod interrupt;
mod lines;

use scard_client::{ScardCode, Session};
use scard_types::call::Call;
use scard_types::trace::{Item, TraceEvent, Traced, TracedCall, Value};

use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::Output;
use entry::{Entry, Scene};
use interrupt::Interrupt;

/// Show what every client does with every card, live, until it is interrupted.
///
/// Calls with their arguments, answers and times; commands decoded, status words in words. PINs, keys and everything
/// else that is secret is left out by the resource manager itself. Root, and the user who runs the resource manager,
/// see every client; everybody else sees the clients of his own.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,

    /// Only what is about this reader; a part of its name is enough. May be given several times.
    #[arg(long = "reader", value_name = "NAME")]
    readers: Vec<String>,

    /// Only what the clients of this process do. May be given several times.
    #[arg(long = "client", value_name = "PID")]
    clients: Vec<u32>,

    /// Only calls, without the commands and answers of cards.
    #[arg(long, conflicts_with = "apdus_only")]
    calls: bool,

    /// Only the commands and answers of cards.
    #[arg(long)]
    apdus_only: bool,

    /// End after so many events; what was there at the beginning does not count.
    #[arg(long, value_name = "N")]
    count: Option<u64>,

    /// Print one JSON object on a line for each event.
    #[arg(long)]
    json: bool,
}

/// Carries the command out, until it is interrupted, has told enough, or nobody reads any more.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let context = arguments.connection.context()?;
    // A trace belongs to one daemon, and ends with it.
    let session = context.session();
    begin(&session)?;
    let interrupt = Interrupt::listen(&session)?;
    let mut scene = Scene::default();
    let mut left = arguments.count;
    let mut has_begun = false;
    while left != Some(0) {
        let traced = match session.next_traced(None) {
            Ok(Some(traced)) => traced,
            Ok(None) => continue,
            Err(_) if interrupt.happened() => break,
            Err(code) => return Err(failure(code)),
        };
        scene.note(&traced);
        let begins = traced.event == TraceEvent::Begins;
        if begins || wanted(arguments, &scene, &traced) {
            let mut entry = Entry::new(&traced, &mut scene);
            if arguments.calls {
                entry.leave_out_the_card();
            }
            if arguments.json {
                output.json_line(&entry)?;
            } else {
                lines::write(&entry, arguments.apdus_only, output)?;
            }
            if has_begun {
                left = left.map(|left| left.saturating_sub(1));
            }
        }
        // Of very many clients the last word may be lost.
        has_begun |= begins || matches!(traced.event, TraceEvent::Lost { .. });
    }
    Ok(())
}

fn begin(session: &Session) -> Result<(), Failure> {
    match session.call(Call::Trace) {
        Ok(_) => Ok(()),
        Err(refusal) if refusal.code == ScardCode::UnsupportedFeature => Err(Failure::NoTrace),
        Err(refusal) => Err(Failure::Scard { doing: "tracing", code: refusal.code }),
    }
}

/// Nothing is sent while we listen, so a connection that fails is a resource manager that went.
fn failure(code: ScardCode) -> Failure {
    let code = if code == ScardCode::CommError { ScardCode::ServiceStopped } else { code };
    Failure::Scard { doing: "tracing", code }
}

/// Whether an event is among those that were asked for. Events that are missing may have been.
fn wanted(arguments: &Arguments, scene: &Scene, traced: &Traced) -> bool {
    let (call, client) = match &traced.event {
        TraceEvent::Lost { .. } => return true,
        TraceEvent::Answered(call, _) | TraceEvent::Waits(call) => (Some(call), Some(call.client)),
        TraceEvent::ClientArrived { client, .. }
        | TraceEvent::ClientGone { client, .. }
        | TraceEvent::WatchFired { client, .. } => (None, Some(*client)),
        _ => (None, None),
    };
    let is_kind = match &traced.event {
        TraceEvent::Answered(_, answer) if arguments.apdus_only => answer.exchange.is_some(),
        TraceEvent::Answered(..) | TraceEvent::Waits(_) if arguments.calls => true,
        _ => !arguments.apdus_only && !arguments.calls,
    };
    let of_client = arguments.clients.is_empty() || {
        let pid = client.and_then(|client| scene.pid(client));
        pid.is_some_and(|pid| arguments.clients.contains(&pid))
    };
    let at_reader = arguments.readers.is_empty() || {
        let names = readers(&traced.event, call);
        let is_named = |name: &&str| {
            let name = name.to_lowercase();
            arguments.readers.iter().any(|wanted| name.contains(&wanted.to_lowercase()))
        };
        names.iter().any(is_named)
    };
    is_kind && of_client && at_reader
}

/// The readers that an event is about.
fn readers<'e>(event: &'e TraceEvent, call: Option<&'e TracedCall>) -> Vec<&'e str> {
    if let TraceEvent::Reader { reader, .. } = event {
        return vec![reader.as_str()];
    }
    let Some(call) = call else { return Vec::new() };
    let listed = call.arguments.iter().filter_map(|item| match item {
        Item { name, value: Value::Texts(texts) } if name == "readers" => Some(texts),
        _ => None,
    });
    call.reader.as_deref().into_iter().chain(listed.flatten().map(String::as_str)).collect()
}
