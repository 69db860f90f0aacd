//! T=0 against a card, with TPDUs and with characters: answers are those of the card asked directly, and a line that
//! fails brings a clean error.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says no by a panic")]

mod line;

use card_link::card_side::{CardCharacters, T0Card};
use card_link::t0::{Characters, Exchange, Mapping};
use card_link::{Heard, LinkError, Step};
use line::{Dice, Ledger, answer_to, command};

/// Asks a card with TPDUs; gives the answer and the TPDUs that it took.
fn ask(
    card: &mut T0Card<Ledger>,
    command: &[u8],
    mapping: Mapping,
) -> (Result<Vec<u8>, LinkError>, usize) {
    let (mut exchange, mut step) = Exchange::begin(command, mapping);
    let mut sent = 0;
    loop {
        match step {
            Step::Send { bytes, .. } => {
                sent += 1;
                let answer = card.exchange(bytes.expose());
                step = exchange.hear(Heard::Bytes(&answer));
            }
            Step::Done(answer) => return (Ok(answer.expose().to_vec()), sent),
            Step::Failed(error) => return (Err(error), sent),
        }
    }
}

/// What becomes of the characters on the way.
type Fault<'f> = &'f mut dyn FnMut(Vec<u8>) -> Option<Vec<u8>>;

/// One TPDU in characters.
fn carry(
    card: &mut CardCharacters<Ledger>,
    tpdu: &[u8],
    fault: Fault<'_>,
) -> Result<Vec<u8>, LinkError> {
    let (mut characters, mut step) = Characters::begin(tpdu);
    let mut waiting = std::collections::VecDeque::new();
    loop {
        match step {
            Step::Send { bytes, expect, .. } => {
                waiting.extend(card.receive(bytes.expose()));
                let expect = expect.unwrap();
                let arrived: Vec<u8> = waiting.drain(..expect.min(waiting.len())).collect();
                step = match fault(arrived) {
                    Some(arrived) if arrived.is_empty() => characters.hear(Heard::Silence),
                    Some(arrived) => characters.hear(Heard::Bytes(&arrived)),
                    None => characters.hear(Heard::Garbled),
                };
            }
            Step::Done(response) => return Ok(response.expose().to_vec()),
            Step::Failed(error) => return Err(error),
        }
    }
}

/// An APDU in TPDUs in characters.
fn ask_in_characters(
    card: &mut CardCharacters<Ledger>,
    command: &[u8],
    fault: Fault<'_>,
) -> Result<Vec<u8>, LinkError> {
    let (mut exchange, mut step) = Exchange::begin(command, Mapping::Whole);
    loop {
        match step {
            Step::Send { bytes, .. } => {
                step = match carry(card, bytes.expose(), fault) {
                    Ok(response) => exchange.hear(Heard::Bytes(&response)),
                    Err(LinkError::Silence) => exchange.hear(Heard::Silence),
                    Err(LinkError::Garbled) => exchange.hear(Heard::Garbled),
                    Err(error) => return Err(error),
                };
            }
            Step::Done(answer) => return Ok(answer.expose().to_vec()),
            Step::Failed(error) => return Err(error),
        }
    }
}

/// Lengths of data and expected lengths at every edge.
const EDGES: &[(usize, usize)] = &[
    (0, 0),
    (0, 1),
    (0, 255),
    (0, 256),
    (0, 257),
    (0, 1_000),
    (0, 65_536),
    (1, 0),
    (255, 0),
    (256, 0),
    (502, 0),
    (503, 0),
    (65_535, 0),
    (1, 1),
    (255, 256),
    (255, 257),
    (256, 256),
    (501, 2),
    (501, 300),
    (1_000, 65_536),
];

#[test]
fn every_case_and_length_is_answered_as_by_the_card_itself() {
    let mut dice = Dice::new(3);
    let mut card = T0Card::new(Ledger::default());
    let mut quick = CardCharacters::new(T0Card::new(Ledger::default()), false);
    let mut slow = CardCharacters::new(T0Card::new(Ledger::default()), true);
    let random = (0..300).map(|_| (dice.below(600), dice.below(600)));
    let lengths: Vec<_> = EDGES.iter().copied().chain(random.collect::<Vec<_>>()).collect();
    for (number, (sent, wanted)) in lengths.into_iter().enumerate() {
        let command = command(u8::try_from(number % 256).unwrap(), sent, wanted, &mut dice);
        let expected = Ok(answer_to(&command));
        card.application().length = Some(wanted);
        assert_eq!(ask(&mut card, &command, Mapping::Whole).0, expected, "{sent} {wanted}");
        for card in [&mut quick, &mut slow] {
            card.card().application().length = Some(wanted);
            let answer = ask_in_characters(card, &command, &mut Some);
            assert_eq!(answer, expected, "{sent} {wanted}, in characters");
        }
    }
}

#[test]
fn a_program_that_follows_up_by_itself_gets_what_the_card_says() {
    let mut card = T0Card::new(Ledger::default());
    let mut dice = Dice::new(5);
    let with_data = command(1, 10, 20, &mut dice);
    card.application().length = Some(20);
    assert_eq!(ask(&mut card, &with_data, Mapping::AsItStands), (Ok(vec![0x61, 20]), 1));
    let fetch = [0x80, 0xC0, 0, 0, 20];
    let fetched = ask(&mut card, &fetch, Mapping::AsItStands).0;
    assert_eq!(fetched, Ok(answer_to(&with_data)));
    let mut exchange = Exchange::begin(&[0, 0xB0, 0, 0, 0], Mapping::AsItStands).0;
    let step = exchange.hear(Heard::Bytes(&[0x6C, 0x08]));
    assert_eq!(step, Step::Done(vec![0x6C, 0x08].into()));
}

/// Plays TPDUs and their answers; gives the end.
fn play(command: &[u8], script: &[(&[u8], &[u8])]) -> Step {
    let (mut exchange, mut step) = Exchange::begin(command, Mapping::Whole);
    for (tpdu, response) in script {
        match step {
            Step::Send { bytes, .. } => assert_eq!(bytes.expose(), *tpdu),
            other => panic!("{other:?}, not {tpdu:02X?}"),
        }
        step = exchange.hear(Heard::Bytes(response));
    }
    step
}

fn done(answer: &[u8]) -> Step {
    Step::Done(answer.into())
}

#[test]
fn what_cards_say_about_lengths() {
    const READ: &[u8] = &[0x00, 0xB0, 0, 0, 4];
    const FETCH: &[u8] = &[0x00, 0xC0, 0, 0, 4];
    const WRITE_AND_READ: &[u8] = &[0x00, 0x88, 0, 0, 1, 0xAA, 4];
    const WRITE: &[u8] = &[0x00, 0x88, 0, 0, 1, 0xAA];
    let end = [1, 2, 3, 4, 0x90, 0];
    // The right length is less, or more, which is cut.
    let less = (&[0x00, 0xB0, 0, 0, 2][..], &[1, 2, 0x90, 0][..]);
    assert_eq!(play(READ, &[(READ, &[0x6C, 2]), less]), done(&[1, 2, 0x90, 0]));
    let more = (&[0x00, 0xB0, 0, 0, 6][..], &[1, 2, 3, 4, 5, 6, 0x90, 0][..]);
    assert_eq!(play(READ, &[(READ, &[0x6C, 6]), more]), done(&end));
    // The second correction is an answer.
    let again = (&[0x00, 0xB0, 0, 0, 2][..], &[0x6C, 3][..]);
    assert_eq!(play(READ, &[(READ, &[0x6C, 2]), again]), done(&[0x6C, 3]));
    // An answer in parts.
    let parts = [
        (READ, &[1, 0x61, 2][..]),
        (&[0x00, 0xC0, 0, 0, 2], &[2, 3, 0x61, 0]),
        (&[0x00, 0xC0, 0, 0, 1], &[4, 0x90, 0]),
    ];
    assert_eq!(play(READ, &parts), done(&end));
    // Case 4: fetched after 61xx and after 9000; a warning and an error are answers.
    assert_eq!(play(WRITE_AND_READ, &[(WRITE, &[0x61, 9]), (FETCH, &end)]), done(&end));
    assert_eq!(play(WRITE_AND_READ, &[(WRITE, &[0x90, 0]), (FETCH, &end)]), done(&end));
    assert_eq!(play(WRITE_AND_READ, &[(WRITE, &[0x63, 0xC2])]), done(&[0x63, 0xC2]));
    assert_eq!(play(WRITE_AND_READ, &[(WRITE, &[0x6A, 0x80])]), done(&[0x6A, 0x80]));
    // Nothing to fetch after success: success it is.
    for refusal in [[0x6D, 0x00], [0x69, 0x85]] {
        let script = [(WRITE, &[0x90, 0][..]), (FETCH, &refusal[..])];
        assert_eq!(play(WRITE_AND_READ, &script), done(&[0x90, 0]));
        let script = [(WRITE, &[0x61, 4][..]), (FETCH, &refusal[..])];
        assert_eq!(play(WRITE_AND_READ, &script), done(&refusal));
    }
    // Case 3: 61xx is an answer, for nobody has said how much is wanted.
    assert_eq!(play(WRITE, &[(WRITE, &[0x61, 4])]), done(&[0x61, 4]));
    // The channel goes along, secure messaging and chaining do not; a maker's class does.
    for (cla, fetching) in [(0x01, 0x01), (0x0C, 0x00), (0x10, 0x00), (0x45, 0x45), (0xA0, 0xA0)] {
        let read = [cla, 0xB0, 0, 0, 4];
        let fetch = [fetching, 0xC0, 0, 0, 4];
        assert_eq!(play(&read, &[(&read, &[0x61, 4]), (&fetch, &end)]), done(&end));
    }
}

#[test]
fn a_card_that_breaks_the_rules_is_an_error() {
    let read = [0x00, 0xB0, 0, 0, 4];
    let failed = |error| Step::Failed(error);
    let sent = &read[..];
    assert_eq!(play(&read, &[(sent, &[])]), failed(LinkError::ShortAnswer { got: 0 }));
    assert_eq!(play(&read, &[(sent, &[0x90])]), failed(LinkError::ShortAnswer { got: 1 }));
    let more = [1, 2, 3, 4, 5, 0x90, 0];
    assert_eq!(play(&read, &[(sent, &more)]), failed(LinkError::OutOfRules));
    let write = [0x00, 0xD6, 0, 0, 1, 7];
    assert_eq!(play(&write, &[(&write, &[1, 0x90, 0])]), failed(LinkError::OutOfRules));
    // There is always more, and it never comes.
    let empty = (&[0x00, 0xC0, 0, 0, 4][..], &[0x61, 4][..]);
    assert_eq!(play(&read, &[(sent, &[0x61, 4]), empty]), failed(LinkError::OutOfRules));
}

#[test]
fn what_t0_cannot_carry_is_not_sent() {
    for ins in [0x60, 0x6F, 0x90, 0x9C] {
        let (_, step) = Exchange::begin(&[0, ins, 0, 0], Mapping::Whole);
        assert_eq!(step, Step::Failed(LinkError::BadInstruction { ins }));
        let (mut characters, step) = Characters::begin(&[0, ins, 0, 0, 0]);
        assert_eq!(step, Step::Failed(LinkError::BadInstruction { ins }));
        drop(characters.hear(Heard::Silence));
    }
    for broken in [&[][..], &[0, 0xA4, 0], &[0, 0xA4, 0, 0, 5, 1]] {
        let (mut exchange, step) = Exchange::begin(broken, Mapping::Whole);
        assert!(matches!(step, Step::Failed(LinkError::BadCommand(_))), "{broken:02X?}");
        assert_eq!(exchange.hear(Heard::Silence), Step::Failed(LinkError::Lost));
    }
}

#[test]
fn a_line_that_fails_brings_a_clean_error_and_never_a_wrong_answer() {
    let (mut right, mut silent, mut garbled, mut confused) = (0, 0, 0, 0);
    for seed in 0..2_000 {
        let mut dice = Dice::new(seed);
        let is_slow = dice.below(2) == 0;
        let mut card = CardCharacters::new(T0Card::new(Ledger::default()), is_slow);
        let (sent, wanted) = (dice.below(300), dice.below(300));
        let command = command(1, sent, wanted.max(1), &mut dice);
        card.card().application().length = Some(wanted.max(1));
        // One of a thousand characters is lost, another one damaged, which parity tells.
        let often = [0, 1, 4][dice.below(3)];
        let mut fault = |mut characters: Vec<u8>| {
            let count = characters.len();
            characters.retain(|_| dice.below(1_000) >= often);
            let damaged = (0..count).any(|_| dice.below(1_000) < often);
            (!damaged).then_some(characters)
        };
        match ask_in_characters(&mut card, &command, &mut fault) {
            Ok(answer) => {
                assert_eq!(answer, answer_to(&command), "seed {seed}");
                right += 1;
            }
            Err(LinkError::Silence) => silent += 1,
            Err(LinkError::Garbled) => garbled += 1,
            // What follows a lost character is taken for something else.
            Err(LinkError::OutOfRules) => confused += 1,
            Err(error) => panic!("seed {seed}: {error}"),
        }
    }
    let counts = [right, silent, garbled, confused];
    assert!(counts.iter().all(|count| *count > 50), "{counts:?}");
}

#[test]
fn procedure_bytes() {
    /// Characters of the card, and how the TPDU ends.
    fn hear(tpdu: &[u8], said: &[&[u8]]) -> Step {
        let (mut characters, mut step) = Characters::begin(tpdu);
        for said in said {
            assert!(matches!(step, Step::Send { .. }), "{step:?}");
            step = characters.hear(Heard::Bytes(said));
        }
        step
    }
    let read = [0x00, 0xB0, 0, 0, 2];
    let write = [0x00, 0xD6, 0, 0, 2, 8, 9];
    assert_eq!(hear(&read, &[&[0xB0], &[1, 2], &[0x90], &[0]]), done(&[1, 2, 0x90, 0]));
    assert_eq!(
        hear(&read, &[&[0x60], &[0x4F], &[1], &[0x60], &[0xB1], &[2], &[0x90, 0]]),
        done(&[1, 2, 0x90, 0])
    );
    assert_eq!(hear(&read, &[&[0x60, 0x60, 0x6A, 0x82]]), done(&[0x6A, 0x82]));
    assert_eq!(hear(&write, &[&[0x29], &[0x60, 0x29], &[0x90, 0]]), done(&[0x90, 0]));
    // Neither INS nor a status; data where there is none any more; a word behind the end; half of the data.
    for said in [&[&[0xA4][..]][..], &[&[0xB0, 1, 2, 0xB0]], &[&[0x90, 0, 0]]] {
        assert_eq!(hear(&read, said), Step::Failed(LinkError::OutOfRules), "{said:02X?}");
    }
    assert_eq!(hear(&write, &[&[0xD6, 0x90]]), Step::Failed(LinkError::OutOfRules));
    let (mut characters, _) = Characters::begin(&read);
    assert_eq!(characters.hear(Heard::Silence), Step::Failed(LinkError::Silence));
    assert_eq!(characters.hear(Heard::Bytes(&[0x90, 0])), Step::Failed(LinkError::Lost));
}
