//! The length of the path of an exchange: `SCardTransmit` beside a bare ping-pong of the same bytes.

use crate::client::Client;
use crate::measure::{Found, Means};
use crate::process::Place;
use crate::report::{Bar, Figure, Table, amount};
use crate::side::{Side, Sides, servers};
use crate::statistics::median;
use crate::system_calls::Counting;

/// What an exchange takes on our wire beside the bytes of command and response: header, card, protocol, limit, length;
/// header, protocol, length.
const REQUEST_BYTES: usize = 12 + 4 + 1 + 4 + 4;
const REPLY_BYTES: usize = 12 + 1 + 4;

/// The longest answer that vpcd's protocol carries.
const LONG: usize = 65_535;
const STATUS_WORD: usize = 2;

/// A command, and how to ask for it.
struct Exchange {
    title: &'static str,
    line: &'static str,
    command_bytes: usize,
    answer_bytes: usize,
}

const SHORT_EXCHANGE: Exchange = Exchange {
    title: "5 bytes",
    line: "times transmit",
    command_bytes: 5,
    answer_bytes: STATUS_WORD,
};
const LONG_EXCHANGE: Exchange =
    Exchange { title: "64 KB answers", line: "sizes 65535", command_bytes: 7, answer_bytes: LONG };

pub(super) fn run(means: &Means) -> Found {
    let sides = Sides::with_card("bench-path", "blank", means.pcscd);
    let pong_socket = sides.ours.folder().join("pong");
    let pong = Client::in_role(&["pong", &pong_socket.to_string_lossy()], None);
    let mut clients: Vec<(Side, Client, Vec<u32>)> = sides
        .all()
        .map(|(side, service)| (side, Client::start(side, service), servers(service)))
        .collect();
    let mut ping = Client::start(Side::Ours, &sides.ours);

    let mut table = Table::new(
        "SCardTransmit, median of a call in microseconds, and as a multiple of the bare ping-pong",
        &[
            "",
            "5 bytes, one processor",
            "5 bytes, anywhere",
            "64 KB, one processor",
            "64 KB, anywhere",
        ],
    );
    let mut cells: Vec<Vec<String>> = vec![Vec::new(); clients.len() + 1];
    let mut ratios = Vec::new();
    for exchange in [&SHORT_EXCHANGE, &LONG_EXCHANGE] {
        for place in [Place::OneProcessor, Place::Anywhere] {
            let all = clients
                .iter()
                .flat_map(|(_, client, servers)| servers.iter().copied().chain([client.pid()]));
            place.put(&all.chain([ping.pid(), pong.pid()]).collect::<Vec<_>>());
            let mut times = vec![Vec::new(); clients.len() + 1];
            for _ in 0..means.plan.rounds {
                let count = means.plan.calls;
                let (asked, answered) =
                    (REQUEST_BYTES + exchange.command_bytes, REPLY_BYTES + exchange.answer_bytes);
                let line = format!("ping {} {asked} {answered} {count}", pong_socket.display());
                times[0].push(median(&ping.numbers(&line)));
                for ((_, client, _), times) in clients.iter_mut().zip(&mut times[1..]) {
                    times.push(median(&client.numbers(&format!("{} {count}", exchange.line))));
                }
            }
            let (bare, others) = times.split_first().expect("the bare one is there");
            cells[0].push(amount(median(bare) / 1e3, ""));
            for (at, times) in others.iter().enumerate() {
                // Each round is compared within itself: what disturbs the machine disturbs all sides of a round.
                let of_rounds: Vec<f64> =
                    times.iter().zip(bare).map(|(time, bare)| time / bare).collect();
                let ratio = median(&of_rounds);
                cells[at + 1].push(format!(
                    "{} ({} x)",
                    amount(median(times) / 1e3, ""),
                    amount(ratio, "")
                ));
                ratios.push((exchange.title, place, clients[at].0, ratio));
            }
        }
    }
    table.row("bare ping-pong", std::mem::take(&mut cells[0]));
    for ((side, ..), cells) in clients.iter().zip(cells.into_iter().skip(1)) {
        table.row(side.name(), cells);
    }
    let ratio = |exchange: &Exchange, side: Side| {
        ratios
            .iter()
            .find(|(title, place, of, _)| {
                *title == exchange.title && *place == Place::OneProcessor && *of == side
            })
            .map_or(0.0, |(.., ratio)| *ratio)
    };
    let note = |exchange| {
        let stock = amount(ratio(exchange, Side::Stock), "");
        let pcscd = amount(ratio(exchange, Side::Pcscd), "");
        if means.pcscd {
            format!("stock library {stock}; pcscd with vpcd {pcscd}")
        } else {
            format!("stock library {stock}")
        }
    };
    let figures = vec![
        Figure::new(
            "transmit-5",
            "SCardTransmit of 5 bytes, multiple of a bare ping-pong, one processor",
            ratio(&SHORT_EXCHANGE, Side::Ours),
            "",
            Bar::AtMost(1.5),
        )
        .with_note(note(&SHORT_EXCHANGE)),
        system_calls(&mut clients, &sides, means.plan.calls),
        Figure::new(
            "transmit-64k",
            "SCardTransmit with an answer of 64 KB, multiple of a bare ping-pong, one processor",
            ratio(&LONG_EXCHANGE, Side::Ours),
            "",
            Bar::AtMost(1.3),
        )
        .with_note(note(&LONG_EXCHANGE)),
    ];
    Found { figures, tables: vec![table] }
}

/// What client and daemon ask of the kernel for one exchange of 5 bytes.
fn system_calls(clients: &mut [(Side, Client, Vec<u32>)], sides: &Sides, count: usize) -> Figure {
    let what = "System calls of client and daemon together, SCardTransmit of 5 bytes (strace -c)";
    let bar = Bar::AtMost(8.0);
    let mut counts = Vec::new();
    for (side, client, servers) in clients {
        let watched = servers.iter().copied().chain([client.pid()]);
        let counting: Option<Vec<Counting>> =
            watched.map(|pid| Counting::of(pid, sides.ours.folder())).collect();
        let Some(counting) = counting else {
            return Figure::missing("system-calls", what, "", bar, "needs strace");
        };
        let line = format!("times transmit {count}");
        client.numbers(&line);
        let all: Vec<_> = counting.into_iter().map(Counting::end).collect();
        // It warms up with a tenth more.
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let exchanges = (count + count / 10) as f64;
        // What a process does once (to be watched, to read the order) does not count: only what comes with each.
        let per_call = |calls: &f64| *calls > exchanges / 2.0;
        let names: Vec<String> = all
            .iter()
            .map(|counts| {
                let each = counts.iter().filter(|(_, calls)| per_call(calls));
                let each = each.map(|(name, calls)| {
                    format!("{name} {}", amount((calls / exchanges).round(), ""))
                });
                each.collect::<Vec<_>>().join(", ")
            })
            .collect();
        let sum: f64 = all.iter().flat_map(|counts| counts.values()).filter(|n| per_call(n)).sum();
        counts.push((*side, sum / exchanges, names));
    }
    let of = |side| counts.iter().find(|(of, ..)| *of == side);
    let (_, ours, names) = of(Side::Ours).expect("it was counted");
    let detail = names.iter().rev().cloned().collect::<Vec<_>>().join("; daemon: ");
    let beside = |side| of(side).map_or("-".into(), |(_, calls, _)| amount(calls.round(), ""));
    Figure::new("system-calls", what, (ours * 100.0).round() / 100.0, "", bar).with_note(format!(
        "client: {detail}. Stock library on ours {}, on pcscd with vpcd and card {}",
        beside(Side::Stock),
        beside(Side::Pcscd)
    ))
}
