//! One card and many who want it: how fast it changes hands, and whether each gets his share.

use clients::daemon::Service;

use crate::client::Client;
use crate::measure::{Found, Means, NO_PCSCD};
use crate::report::{Bar, Figure, Table, amount};
use crate::side::{Side, Sides};
use crate::statistics::{median, quantile, worst};

/// Long enough for the other one to ask before it is over.
const HOLD_MICROS: usize = 400;
const CROWDS: [usize; 3] = [2, 8, 64];

pub(super) fn run(means: &Means) -> Found {
    let sides = Sides::with_card("bench-turns", "piv", means.pcscd);
    let mut table = Table::new(
        "From SCardEndTransaction to the return of the next one's SCardBeginTransaction, milliseconds",
        &["", "median", "99 of 100", "worst", "times"],
    );
    let mut stock = Vec::new();
    for (side, service) in sides.all() {
        let plan = &means.plan;
        let times = if side == Side::Pcscd { plan.slow_events } else { plan.events };
        let passed = hand_overs(side, service, times);
        let cells = [median(&passed), quantile(&passed, 0.99), worst(&passed)];
        let count = passed.len().to_string();
        table.row(side.name(), cells.map(|cell| amount(cell, "")).into_iter().chain([count]));
        if side == Side::Stock {
            stock = passed;
        }
    }
    let mut figures = vec![
        Figure::new(
            "hand-over",
            "EndTransaction to the next waiter's return, stock clients, median",
            median(&stock),
            "ms",
            Bar::Below(0.2),
        )
        .with_note(
            table.rows.get(2).map_or(NO_PCSCD.to_owned(), |row| format!("pcscd: {} ms", row[1])),
        ),
        Figure::new(
            "hand-over-worst",
            &format!(
                "EndTransaction to the next waiter's return, stock clients, worst of {}",
                stock.len()
            ),
            worst(&stock),
            "ms",
            Bar::Below(5.0),
        ),
    ];
    let mut shares = Table::new(
        "Fairness: fewest transactions of a client, share of the most; in brackets, all of them in a second",
        &["", "2 clients", "8 clients", "64 clients"],
    );
    for (side, service) in sides.all() {
        let mut cells = Vec::new();
        for crowd in CROWDS {
            let (fairness, speed) = compete(side, service, crowd, means);
            cells.push(format!("{} ({speed:.0})", amount(fairness, "")));
            if side == Side::Stock {
                let what = format!(
                    "Fairness of {crowd} looping stock clients, fewest / most transactions"
                );
                figures.push(Figure::new(
                    &format!("fairness-{crowd}"),
                    &what,
                    fairness,
                    "",
                    Bar::Above(0.9),
                ));
            }
        }
        shares.row(side.name(), cells);
    }
    Found { figures, tables: vec![table, shares] }
}

/// How long each change of hands took, in milliseconds: from the call of the one to the return of the other.
fn hand_overs(side: Side, service: &Service, times: usize) -> Vec<f64> {
    let mut clients = [Client::start(side, service), Client::start(side, service)];
    clients.iter_mut().for_each(|client| {
        client.ask("connect");
    });
    let each = times / 2 + 2;
    clients.iter_mut().for_each(|client| client.begin(&format!("hold {each} {HOLD_MICROS}")));
    let mut moments: Vec<(u64, usize, bool)> = Vec::new();
    for (who, client) in clients.iter().enumerate() {
        let said = client.hear();
        let numbers = said.split_whitespace().map(|word| word.parse().expect("a moment"));
        moments.extend(numbers.enumerate().map(|(at, moment)| (moment, who, at % 2 == 0)));
    }
    moments.sort_unstable();
    // An end and the beginning right after it, by somebody else. Where one had the card twice in a row the other did
    // not wait yet.
    let passed = moments.windows(2).filter_map(|pair| match pair {
        [(ended, one, false), (granted, other, true)] if one != other => {
            Some((granted - ended) as f64 / 1e6)
        }
        _ => None,
    });
    passed.take(times).collect()
}

/// Fewest transactions over most, and transactions in a second.
fn compete(side: Side, service: &Service, crowd: usize, means: &Means) -> (f64, f64) {
    // pcscd sends those who wait away for a tenth of a second, so it takes seconds to see anything.
    let time = if side == Side::Pcscd { means.plan.loops * 2 } else { means.plan.loops };
    let mut client = Client::start(side, service);
    let turns = client.numbers(&format!("loop {crowd} {}", time.as_micros()));
    let sum: f64 = turns.iter().sum();
    (quantile(&turns, 0.0) / worst(&turns).max(1.0), sum / time.as_secs_f64())
}
