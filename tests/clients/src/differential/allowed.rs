//! The differences that are meant: each is a row of docs/compat.md, and matches one situation.

use super::book::{Book, Handle};
use super::history::program_of;
use super::play::WAITING;
use crate::stage::{Library, Manager, Stage};

/// What two sides say to a call.
pub(crate) struct Case<'a> {
    /// The side that is the measure.
    pub(crate) measure: Stage,
    /// The other one.
    pub(crate) stage: Stage,
    pub(crate) who: &'a str,
    /// The call; `table after CALL` is what everybody sees of the readers afterwards.
    pub(crate) words: &'a [&'a str],
    /// What the measure says.
    pub(crate) theirs: &'a str,
    pub(crate) ours: &'a str,
    /// What was known before the call.
    pub(crate) book: &'a Book,
}

impl Case<'_> {
    /// pcscd is the measure of our daemon.
    fn on_ours(&self) -> bool {
        self.measure.manager == Manager::DebianPcscd && self.stage.manager == Manager::Ours
    }

    /// The stock library is the measure of ours.
    fn by_ours(&self) -> bool {
        self.measure.library == Library::Stock && self.stage.library == Library::Ours
    }

    /// On our daemon, the stock library is the measure of ours.
    fn by_ours_alone(&self) -> bool {
        self.by_ours() && self.measure.manager == Manager::Ours
    }

    fn is(&self, call: &str) -> bool {
        self.words.first() == Some(&call)
    }

    fn word(&self, at: usize) -> &str {
        self.words.get(at).copied().unwrap_or_default()
    }

    fn last(&self) -> &str {
        self.words.last().copied().unwrap_or_default()
    }

    fn codes(&self, theirs: &str, ours: &str) -> bool {
        let code = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
        code(self.theirs) == theirs && code(self.ours) == ours
    }

    fn code(&self) -> &str {
        self.ours.split(' ').next().unwrap_or_default()
    }

    fn handle(&self) -> Option<&Handle> {
        self.book.handle(self.who, &self.words.join(" "))
    }
}

/// A difference that is meant.
pub struct Allowed {
    /// How its row in docs/compat.md begins.
    pub row: &'static str,
    then: Then,
    matches: fn(&Case<'_>) -> bool,
}

/// What follows from a difference.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    /// Nothing: the sides are in the same state.
    GoOn,
    /// The sides have nothing in common any more.
    Part,
    /// The same, though the answers are equal: something else was done.
    PartInSilence,
    /// The same, and whether it comes up is up to pcscd's clock.
    PartByChance,
}

impl Allowed {
    /// Whether the two sides have nothing in common any more.
    pub(crate) fn parts(&self) -> bool {
        self.then != Then::GoOn
    }

    /// Whether a run may go by without it.
    #[must_use]
    pub fn is_chance(&self) -> bool {
        self.then == Then::PartByChance
    }
}

const fn row(row: &'static str, then: Then, matches: fn(&Case<'_>) -> bool) -> Allowed {
    Allowed { row, then, matches }
}

/// All of them.
pub const ALLOWED: &[Allowed] = &[
    row("The entry for readers that come and go", Then::GoOn, |case| {
        let both_ours = case.by_ours() && case.stage.manager == Manager::Ours;
        both_ours && case.is("change") && without_reader_events(case.ours) == case.theirs
    }),
    row("`SCardTransmit` gives back the negotiated protocol", Then::GoOn, |case| {
        let too_long = case.is("transmit") && case.words.contains(&"*65549");
        case.by_ours() && too_long && case.ours == "InsufficientBuffer 0"
    }),
    row("`SCardGetAttrib` takes a buffer of any size", Then::GoOn, |case| {
        let large = case.last().parse::<u32>().is_ok_and(|room| room > 264);
        case.by_ours() && case.is("attribute") && large && case.theirs == "InsufficientBuffer"
    }),
    row("ATR, presence, reader names and a few more", Then::GoOn, |case| {
        let served = SERVED_ATTRIBUTES.contains(&case.word(2));
        let from_vpcd = matches!(case.theirs, "UnsupportedFeature" | "InsufficientBuffer");
        case.on_ours() && case.is("attribute") && served && from_vpcd
    }),
    row("Setting an attribute", Then::GoOn, |case| {
        case.on_ours()
            && case.is("set-attribute")
            && case.codes("NotTransacted", "UnsupportedFeature")
    }),
    row("A command for whatever protocol was negotiated", Then::Part, |case| {
        let whatever = case.on_ours() && matches!(case.word(2), "old" | "none")
            || case.by_ours() && case.word(2) == "none";
        case.is("transmit") && whatever && case.ours == "ProtoMismatch"
    }),
    row("Arguments that cannot be", Then::GoOn, |case| {
        let no_protocol = case.is("transmit") && matches!(case.word(2), "none" | "any" | "8");
        let stock_on_ours = case.on_ours() && case.stage.library == Library::Stock;
        no_protocol && (stock_on_ours && case.ours == "ProtoMismatch" && comes_first(case.theirs))
    }),
    row("Arguments that cannot be", Then::GoOn, |case| {
        let no_protocol = case.is("transmit") && matches!(case.word(2), "none" | "any" | "8");
        let first = case.theirs == "ProtoMismatch" && comes_first(case.ours);
        case.by_ours_alone() && no_protocol && first
    }),
    row("A call that has waited too long on a connection", Then::Part, |case| {
        let stock_on_ours = case.on_ours() && case.stage.library == Library::Stock;
        let sent_back = case.is("connect") && case.ours == "SharingViolation"
            || case.is("disconnect") && case.ours == "Success";
        stock_on_ours && case.theirs == WAITING && sent_back
    }),
    row("A call that has waited too long on a connection", Then::Part, |case| {
        let sent_back = case.is("connect") && case.theirs == "SharingViolation"
            || case.is("disconnect") && case.theirs == "Success";
        case.by_ours_alone() && case.ours == WAITING && sent_back
    }),
    row("Commands for a card without power", Then::GoOn, |case| {
        let raw = case.is("transmit") && case.word(2) == "raw";
        let sent = case.theirs.starts_with("Success") || case.theirs.starts_with("Insuff");
        case.on_ours() && raw && sent && case.ours == "NoSmartcard"
    }),
    row("A raw command where no card is", Then::GoOn, |case| {
        let raw = case.on_ours() && case.is("transmit") && case.word(2) == "raw";
        raw && case.theirs == "NotTransacted" && case.ours == "NoSmartcard"
    }),
    row("Every change of who shares a reader", Then::PartByChance, |case| {
        let of_pcscd = case.measure.manager == Manager::DebianPcscd && case.is("change");
        of_pcscd && (case.theirs == WAITING) != (case.ours == WAITING)
    }),
    row("`SCARD_PROTOCOL_ANY_OLD` in a connect", Then::Part, |case| {
        let taken = matches!(case.code(), "Success" | "SharingViolation" | WAITING);
        case.measure.manager == Manager::DebianPcscd
            && case.is("connect")
            && case.last() == "old"
            && case.theirs == "ProtoMismatch"
            && taken
    }),
    row("`SCARD_PROTOCOL_ANY_OLD` in a connect", Then::Part, |case| {
        let refused = case.is("reconnect") && case.word(3) == "old" && case.ours == "ProtoMismatch";
        case.measure.manager == Manager::DebianPcscd && refused
    }),
    row("A card that answered reads as powered", Then::GoOn, |case| {
        let unpowered = case.theirs.replace("+0004 ", "+0034 ");
        case.is("status") && case.theirs.contains("+0004 ") && case.ours == unpowered
    }),
    row("A connect that is refused has not touched the card", Then::PartInSilence, |case| {
        let exclusive = case.is("connect") && case.word(4) == "exclusive";
        case.on_ours() && exclusive && case.codes("SharingViolation", "SharingViolation")
    }),
    row("An end without a transaction", Then::PartInSilence, |case| {
        let disposes = matches!(case.last(), "reset" | "unpower" | "eject");
        case.on_ours() && case.is("end") && disposes && case.ours == "NotTransacted"
    }),
    row("The end of a transaction with a reset", Then::Part, |case| {
        let disposes = matches!(case.last(), "reset" | "unpower");
        let ended = case.theirs == "RemovedCard" && case.ours == "Success";
        case.on_ours() && case.is("end") && disposes && ended
    }),
    row("An ejected card", Then::PartInSilence, |case| {
        let leaves = case.is("disconnect") || case.is("end");
        case.on_ours() && leaves && case.last() == "eject" && case.ours == "Success"
    }),
    row("A reconnect looks at protocol and share mode", Then::PartInSilence, |case| {
        let kept = case.handle().is_some_and(|handle| !handle.removed);
        let touches = matches!(case.last(), "reset" | "unpower") || case.word(3).contains("raw");
        let refused = matches!(case.ours, "ProtoMismatch" | "SharingViolation")
            || case.ours == "NoSmartcard" && kept;
        let agreed = case.handle().is_some_and(|handle| handle.share != "direct");
        let waits = case.ours == WAITING && case.word(2) == "exclusive";
        case.on_ours()
            && case.is("reconnect")
            && (touches && (refused || waits) || waits && !agreed)
    }),
    row("A reconnect looks at protocol and share mode", Then::Part, |case| {
        let asks_again = case.book.pending.iter().any(|pending| {
            pending.what.starts_with("reconnect") && pending.what.contains(" exclusive ")
        });
        case.on_ours() && case.is("table") && asks_again
    }),
    row("A reconnect gives power", Then::Part, |case| {
        case.on_ours() && case.is("connect") && case.theirs == "UnpoweredCard"
    }),
    row("A connect that waits is refused when", Then::Part, |case| {
        let refused = case.theirs == WAITING && case.ours == "SharingViolation";
        case.on_ours() && case.is("connect") && refused
    }),
    row("Raw that was asked for without power", Then::Part, |case| {
        let others = case.theirs == "ProtoMismatch" && case.code() == "Success";
        let direct = case.theirs == "Success 4" && case.ours == "Success 0";
        case.on_ours() && case.is("connect") && (others || direct)
    }),
    row("What happened to the card is told at once", Then::Part, |case| {
        let told = matches!(case.ours, "ResetCard" | "RemovedCard");
        let later = matches!(case.theirs, WAITING | "SharingViolation");
        let held_up = case.book.is_held_up(case.who, &case.words.join(" "));
        case.on_ours() && told && later && held_up
    }),
    row("A handle whose card was removed stays so", Then::Part, |case| {
        let removed = case.handle().is_some_and(|handle| handle.removed);
        case.on_ours() && removed && case.theirs == "ResetCard" && case.ours == "RemovedCard"
    }),
    row("A handle that goes from exclusive to shared", Then::PartInSilence, |case| {
        let was_exclusive = case.handle().is_some_and(|handle| handle.share == "exclusive");
        let goes = case.word(2) != "exclusive" && case.codes("Success", "Success");
        case.on_ours() && case.is("reconnect") && was_exclusive && goes
    }),
    row("A handle whose context is released", Then::PartInSilence, |case| {
        let context = case.word(1).strip_prefix('c').and_then(|place| place.parse().ok());
        let program = program_of(case.who);
        case.on_ours() && case.is("release") && case.book.is_caught(program, context)
    }),
    row("A handle whose card was removed does nothing", Then::PartInSilence, |case| {
        let removed = case.handle().is_some_and(|handle| handle.removed);
        let disposes = matches!(case.last(), "reset" | "unpower");
        case.on_ours() && case.is("disconnect") && removed && disposes
    }),
];

/// What is said of a handle before its protocol is looked at.
fn comes_first(answer: &str) -> bool {
    matches!(answer, "RemovedCard" | "ResetCard" | "NoSmartcard" | WAITING)
}

/// Those that the daemon answers for every reader: interface, ATR, type, names, use, protocol.
const SERVED_ATTRIBUTES: &[&str] =
    &["8020A", "90300", "90301", "90303", "90304", "7FFF0003", "7FFF0004", "7FFF0005", "7FFF0002"];

/// An answer of `change` with no count of reader events.
fn without_reader_events(answer: &str) -> String {
    let word = |word: &str| match word.strip_prefix("plug-and-play=") {
        Some(state) => {
            format!("plug-and-play=0+{}", state.split_once('+').map_or("", |(_, rest)| rest))
        }
        None => word.to_owned(),
    };
    answer.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// The row for what two sides say, if there is one; equal answers have one where they hide a difference.
pub(crate) fn find(case: &Case<'_>) -> Option<usize> {
    let silent = case.theirs == case.ours;
    ALLOWED.iter().position(|allowed| {
        (!silent || allowed.then == Then::PartInSilence) && (allowed.matches)(case)
    })
}
