//! A program with a card: does what each line of its standard input says, over the `pcsc` crate, and answers in a line.
//!
//! A line is `THREAD COMMAND`; each thread is one, and does one thing at a time. All threads share a context, but for
//! those that establish their own. The arguments are the names of the first and the second reader.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::ffi::CString;
use std::io::{BufRead, stdin};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{env, fs, thread};

use pcsc::{
    Attribute, Card, Context, Disposition, MAX_BUFFER_SIZE_EXTENDED, Protocol, Protocols,
    ReaderState, Scope, ShareMode, State, Transaction,
};

/// What the threads of this process share.
struct Shared {
    context: Mutex<Option<Context>>,
    readers: Vec<String>,
}

fn main() {
    println!("{}", loaded_library());
    let shared =
        Arc::new(Shared { context: Mutex::default(), readers: env::args().skip(1).collect() });
    let mut threads: HashMap<String, Sender<String>> = HashMap::new();
    for line in stdin().lock().lines().map_while(Result::ok) {
        let (name, command) = line.split_once(' ').expect("THREAD COMMAND");
        let thread = threads.entry(name.to_owned()).or_insert_with(|| {
            let (sender, commands) = channel();
            let worker = Worker {
                name: name.to_owned(),
                commands,
                shared: Arc::clone(&shared),
                own_context: None,
                states: Vec::new(),
            };
            thread::spawn(move || worker.run());
            sender
        });
        thread.send(command.to_owned()).expect("the thread lives");
    }
}

/// The file that the library was loaded from.
fn loaded_library() -> String {
    let maps = fs::read_to_string("/proc/self/maps").expect("Linux");
    let line = maps.lines().find(|line| line.contains("libpcsclite")).unwrap_or_default();
    line.split_whitespace().last().unwrap_or("no libpcsclite").to_owned()
}

struct Worker {
    name: String,
    commands: Receiver<String>,
    shared: Arc<Shared>,
    own_context: Option<Context>,
    states: Vec<ReaderState>,
}

/// An answer in words, or the error's name.
type Told = Result<String, pcsc::Error>;

const OK: &str = "ok";

impl Worker {
    fn run(mut self) {
        let mut card: Option<Card> = None;
        while let Ok(line) = self.commands.recv() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let told = match (&words[..], &mut card) {
                (["connect", reader, share, protocols], _) => {
                    self.connect(reader, share, protocols).map(|connected| {
                        let protocol = protocol_of(&connected);
                        card = Some(connected);
                        protocol
                    })
                }
                (["begin"], Some(card)) => {
                    self.transaction(card);
                    continue;
                }
                (["reconnect", share, protocols, first], Some(card)) => card
                    .reconnect(share_mode(share), protocol_set(protocols), disposition(first))
                    .map(|()| protocol_of(card)),
                (["disconnect", last], slot @ Some(_)) => {
                    let open = slot.take().expect("it was matched");
                    open.disconnect(disposition(last)).map(|()| OK.into()).map_err(
                        |(open, error)| {
                            *slot = Some(open);
                            error
                        },
                    )
                }
                (words, card) => self.plain(words, card.as_ref()),
            };
            self.say(told);
        }
    }

    /// From `begin` to an `end` that succeeds: the transaction borrows its card.
    fn transaction(&mut self, card: &mut Card) {
        let mut transaction: Transaction<'_> = match card.transaction2() {
            Ok(transaction) => transaction,
            Err((_, error)) => return self.say(Err(error)),
        };
        self.say(Ok(OK.into()));
        while let Ok(line) = self.commands.recv() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let told = match &words[..] {
                ["end", last] => match transaction.end(disposition(last)) {
                    Ok(()) => return self.say(Ok(OK.into())),
                    Err((open, error)) => {
                        transaction = open;
                        Err(error)
                    }
                },
                ["reconnect", share, protocols, first] => transaction
                    .reconnect(share_mode(share), protocol_set(protocols), disposition(first))
                    .map(|()| protocol_of(&transaction)),
                words => self.plain(words, Some(&transaction)),
            };
            self.say(told);
        }
    }

    /// What can be done with and without a transaction.
    fn plain(&mut self, words: &[&str], card: Option<&Card>) -> Told {
        match (words, card) {
            (["establish"], _) => {
                self.own_context = Some(Context::establish(Scope::User)?);
                Ok(OK.into())
            }
            (["release"], _) => {
                let context = self.context()?;
                self.own_context = None;
                *self.shared.context.lock().expect("nobody panics") = None;
                context.release().map(|()| OK.into()).map_err(|(_, error)| error)
            }
            (["valid"], _) => self.context()?.is_valid().map(|()| OK.into()),
            (["cancel"], _) => self.context()?.cancel().map(|()| OK.into()),
            (["readers"], _) => {
                let names = self.context()?.list_readers_owned()?;
                let names: Vec<String> =
                    names.iter().map(|name| self.word_for(&name.to_string_lossy())).collect();
                Ok(names.join(" "))
            }
            (["look", readers @ ..], _) => {
                let state = |reader: &&str| ReaderState::new(self.reader(reader), State::UNAWARE);
                self.states = readers.iter().map(state).collect();
                self.change(Some(Duration::ZERO))
            }
            (["change", "forever"], _) => self.change(None),
            (["change", millis], _) => self.change(Some(Duration::from_millis(number(millis)))),
            (["see", reader, state], _) => self.see(reader, state),
            (["status"], Some(card)) => {
                let status = card.status2_owned()?;
                let names: Vec<String> = status
                    .reader_names()
                    .iter()
                    .map(|name| self.word_for(&name.to_string_lossy()))
                    .collect();
                let protocol = status.protocol2().map_or("none", protocol_word);
                let flags = flag_names(status.status().iter_names());
                Ok(format!("{} {protocol} {flags} {}", names.join("+"), to_hex(status.atr())))
            }
            (["transmit", apdu], Some(card)) => {
                let mut buffer = vec![0; MAX_BUFFER_SIZE_EXTENDED];
                card.transmit(&from_hex(apdu), &mut buffer).map(to_hex)
            }
            (["transmit", apdu, "into", size], Some(card)) => {
                let mut buffer = vec![0; usize::try_from(number(size)).expect("a size")];
                match card.transmit2(&from_hex(apdu), &mut buffer) {
                    Ok(answer) => Ok(to_hex(answer)),
                    Err((error, needed)) => Ok(format!("{error:?} {needed}")),
                }
            }
            (["control", code, input @ ..], Some(card)) => {
                let code = u64::from_str_radix(code, 16).expect("a code in hexadecimal");
                let mut buffer = vec![0; MAX_BUFFER_SIZE_EXTENDED];
                card.control(code, &from_hex(&input.concat()), &mut buffer).map(to_hex)
            }
            (["attribute", name], Some(card)) => {
                let value = card.get_attribute_owned(attribute(name))?;
                Ok(to_hex(&value))
            }
            _ => Ok(format!("cannot {}", words.join(" "))),
        }
    }

    fn connect(&self, reader: &str, share: &str, protocols: &str) -> Result<Card, pcsc::Error> {
        self.context()?.connect(&self.reader(reader), share_mode(share), protocol_set(protocols))
    }

    fn context(&self) -> Result<Context, pcsc::Error> {
        if let Some(own) = &self.own_context {
            return Ok(own.clone());
        }
        let mut shared = self.shared.context.lock().expect("nobody panics");
        if let Some(context) = &*shared {
            return Ok(context.clone());
        }
        Ok(shared.insert(Context::establish(Scope::User)?).clone())
    }

    /// `SCardGetStatusChange`, from where it was left.
    fn change(&mut self, timeout: Option<Duration>) -> Told {
        let context = self.context()?;
        context.get_status_change(timeout, &mut self.states)?;
        let seen = self.states.iter().map(|state| {
            let flags = flag_names((state.event_state() - State::CHANGED).iter_names());
            let name = self.word_for(&state.name().to_string_lossy());
            format!("{name} {flags} {}", state.event_count())
        });
        let seen = seen.collect::<Vec<_>>().join(", ");
        self.states.iter_mut().for_each(ReaderState::sync_current_state);
        Ok(seen)
    }

    /// Waits until a reader is in a state.
    fn see(&mut self, reader: &str, state: &str) -> Told {
        let context = self.context()?;
        let mut seen = [ReaderState::new(self.reader(reader), State::UNAWARE)];
        loop {
            context.get_status_change(Some(Duration::from_secs(15)), &mut seen)?;
            if seen[0].event_state().iter_names().any(|(name, _)| name == state) {
                return Ok(OK.into());
            }
            seen[0].sync_current_state();
        }
    }

    /// `first` and `second` are the readers that we were told of; anything else is a name (with `_` for a blank).
    fn reader(&self, word: &str) -> CString {
        let known = match word {
            "first" => self.shared.readers.first(),
            "second" => self.shared.readers.get(1),
            _ => None,
        };
        let name = match word {
            "plug-and-play" => return pcsc::PNP_NOTIFICATION().to_owned(),
            _ => known.cloned().unwrap_or_else(|| word.replace('_', " ")),
        };
        CString::new(name).expect("no name has a zero byte")
    }

    fn word_for(&self, name: &str) -> String {
        match self.shared.readers.iter().position(|known| known == name) {
            Some(0) => "first".into(),
            Some(_) => "second".into(),
            None if name == pcsc::PNP_NOTIFICATION().to_string_lossy() => "plug-and-play".into(),
            None => name.replace(' ', "_"),
        }
    }

    fn say(&self, told: Told) {
        match told {
            Ok(text) => println!("{} {text}", self.name),
            Err(error) => println!("{} {error:?}", self.name),
        }
    }
}

fn share_mode(word: &str) -> ShareMode {
    match word {
        "shared" => ShareMode::Shared,
        "exclusive" => ShareMode::Exclusive,
        "direct" => ShareMode::Direct,
        _ => panic!("no share mode is {word}"),
    }
}

fn protocol_set(word: &str) -> Protocols {
    match word {
        "any" => Protocols::ANY,
        "T0" => Protocols::T0,
        "T1" => Protocols::T1,
        "raw" => Protocols::RAW,
        "none" => Protocols::UNDEFINED,
        _ => panic!("no protocol is {word}"),
    }
}

fn disposition(word: &str) -> Disposition {
    match word {
        "leave" => Disposition::LeaveCard,
        "reset" => Disposition::ResetCard,
        "unpower" => Disposition::UnpowerCard,
        "eject" => Disposition::EjectCard,
        _ => panic!("no disposition is {word}"),
    }
}

fn attribute(word: &str) -> Attribute {
    match word {
        "atr" => Attribute::AtrString,
        "presence" => Attribute::IccPresence,
        "vendor" => Attribute::VendorName,
        "version" => Attribute::VendorIfdVersion,
        "interface" => Attribute::IccInterfaceStatus,
        "escape-reset" => Attribute::EscReset,
        _ => panic!("no attribute is {word}"),
    }
}

fn protocol_of(card: &Card) -> String {
    match card.status2_owned() {
        Ok(status) => status.protocol2().map_or("none", protocol_word).into(),
        Err(error) => format!("{error:?}"),
    }
}

fn protocol_word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::T0 => "T0",
        Protocol::T1 => "T1",
        Protocol::RAW => "raw",
    }
}

fn flag_names<T>(flags: impl Iterator<Item = (&'static str, T)>) -> String {
    let names: Vec<&str> = flags.map(|(name, _)| name).collect();
    if names.is_empty() { "nothing".into() } else { names.join("+") }
}

fn number(word: &str) -> u64 {
    word.parse().expect("a number")
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|index| u8::from_str_radix(&text[2 * index..2 * index + 2], 16).expect("hexadecimal"))
        .collect()
}
