//! T=1 against a card over a line that loses, repeats and corrupts blocks: the right answer or a clean error, never a
//! wrong answer, and no command is carried out twice.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says no by a panic")]

mod line;

use card_link::card_side::{T1Card, T1Habits};
use card_link::t1::T1;
use card_link::{Heard, LinkError, Step, T1Parameters};
use line::{Dice, Faults, Ledger, Wire, answer_to, command};

const PLAIN: T1Habits = T1Habits { crc: false, ifsc: 32, time_extensions: 0, other_ifsc: None };

struct Setup {
    reader: T1,
    wire: Wire<T1Card<Ledger>>,
}

impl Setup {
    fn new(habits: T1Habits, faults: Faults, seed: u64) -> Self {
        let parameters = T1Parameters { ifsc: habits.ifsc, bwi: 4, cwi: 13, crc: habits.crc };
        let card = T1Card::new(Ledger::default(), habits);
        Self { reader: T1::new(parameters), wire: Wire::new(card, faults, seed) }
    }

    /// Goes on until the step is an end of the exchange; gives it with the number of blocks that were sent.
    fn run(&mut self, mut step: Step) -> (Step, usize) {
        let mut sent = 0;
        while let Step::Send { bytes, expect, patience } = step {
            assert!(expect.is_none() && patience > 0);
            sent += 1;
            assert!(sent < 100_000, "the exchange has no end");
            let heard = self.wire.pass(bytes.expose(), |card, block| card.receive(block));
            step = self.reader.hear(heard.as_heard());
        }
        (step, sent)
    }

    fn exchange(&mut self, command: &[u8]) -> (Result<Vec<u8>, LinkError>, usize) {
        let first = self.reader.transmit(command.into());
        match self.run(first) {
            (Step::Done(answer), sent) => (Ok(answer.expose().to_vec()), sent),
            (Step::Failed(error), sent) => (Err(error), sent),
            (Step::Send { .. }, _) => panic!("not an end"),
        }
    }
}

#[test]
fn commands_and_answers_of_every_length_pass_in_blocks() {
    for (crc, ifsc, ifsd) in [(false, 32, None), (true, 254, Some(254)), (false, 5, Some(7))] {
        let mut setup = Setup::new(T1Habits { crc, ifsc, ..PLAIN }, Faults::NONE, 1);
        if let Some(ifsd) = ifsd {
            let first = setup.reader.negotiate(ifsd);
            assert_eq!(setup.run(first), (Step::Done(Vec::new().into()), 1));
            assert_eq!(setup.reader.ifsd(), ifsd);
        }
        let mut dice = Dice::new(7);
        for (number, sent, wanted) in
            [(1, 0, 2), (2, 31, 32), (3, 32, 33), (4, 255, 256), (5, 700, 0), (6, 60_000, 65_536)]
        {
            let command = command(number, sent, wanted, &mut dice);
            let (answer, _) = setup.exchange(&command);
            assert_eq!(answer, Ok(answer_to(&command)));
        }
        setup.wire.card().application().no_command_was_carried_out_twice();
    }
}

#[test]
fn a_card_asks_for_time_and_tells_another_size() {
    let habits = T1Habits { time_extensions: 3, other_ifsc: Some(200), ..PLAIN };
    let mut setup = Setup::new(habits, Faults::NONE, 1);
    let first = command(1, 100, 20, &mut Dice::new(1));
    let (answer, sent) = setup.exchange(&first);
    assert_eq!(answer, Ok(answer_to(&first)));
    // Four parts of the command, one size, three times more time.
    assert_eq!(sent, 4 + 1 + 3);
    let second = command(2, 100, 20, &mut Dice::new(2));
    let (answer, sent) = setup.exchange(&second);
    assert_eq!((answer, sent), (Ok(answer_to(&second)), 1 + 3));
}

#[test]
fn over_any_line_the_answer_is_right_or_there_is_none() {
    let (mut right, mut failed, mut lost) = (0, 0, 0);
    for seed in 0..1_000 {
        let mut dice = Dice::new(seed);
        let faults = Faults::some(&mut dice);
        let habits = T1Habits {
            crc: dice.below(2) == 0,
            ifsc: [1, 5, 32, 128, 254][dice.below(5)],
            time_extensions: u8::try_from(dice.below(3)).unwrap(),
            other_ifsc: [None, None, Some(16)][dice.below(3)],
        };
        let mut setup = Setup::new(habits, faults, seed);
        if dice.below(2) == 0 {
            let first = setup.reader.negotiate(254);
            let _ = setup.run(first);
        }
        for number in 0..12 {
            let (sent, wanted) = (dice.below(300), dice.below(300));
            let command = command(number, sent, wanted, &mut dice);
            match setup.exchange(&command).0 {
                Ok(answer) => {
                    assert_eq!(answer, answer_to(&command), "seed {seed}, command {number}");
                    right += 1;
                }
                Err(LinkError::Lost) => {
                    assert!(setup.reader.is_lost());
                    lost += 1;
                    break;
                }
                Err(_) => failed += 1,
            }
        }
        setup.wire.card().application().no_command_was_carried_out_twice();
    }
    // The net has no hole: all of it happens.
    assert!(right > 2_000 && failed > 500 && lost > 200, "{right} {failed} {lost}");
}

#[test]
fn a_line_that_heals_is_of_use_again_after_a_resynchronisation() {
    let mut setup = Setup::new(PLAIN, Faults::NONE, 1);
    let first = command(1, 10, 10, &mut Dice::new(1));
    assert_eq!(setup.exchange(&first).0, Ok(answer_to(&first)));
    // The card stays silent until both begin anew.
    let mut step = setup.reader.transmit(first.as_slice().into());
    let mut asked = 0;
    let error = loop {
        match step {
            Step::Send { bytes, .. } if bytes.expose()[1] == 0xC0 => {
                let answer = setup.wire.card().receive(bytes.expose());
                step = setup.reader.hear(Heard::Bytes(&answer));
            }
            Step::Send { .. } => {
                asked += 1;
                step = setup.reader.hear(Heard::Silence);
            }
            Step::Failed(error) => break error,
            Step::Done(_) => panic!("nobody has answered"),
        }
    };
    assert_eq!((error, asked), (LinkError::Silence, 4));
    assert!(!setup.reader.is_lost());
    let second = command(2, 10, 10, &mut Dice::new(2));
    assert_eq!(setup.exchange(&second).0, Ok(answer_to(&second)));
}

#[test]
fn a_card_that_is_silent_for_ever_is_given_up_in_bounded_steps() {
    for heard in
        [Heard::Silence, Heard::Garbled, Heard::Bytes(&[]), Heard::Bytes(&[0, 0xC0, 0, 0xC0])]
    {
        let mut reader = T1::new(T1Parameters::default());
        let mut step = reader.transmit(vec![0, 0xA4, 4, 0].into());
        let mut sent = 0;
        while let Step::Send { .. } = step {
            sent += 1;
            step = reader.hear(heard);
        }
        assert_eq!((step, sent), (Step::Failed(LinkError::Lost), 4 + 3), "{heard:?}");
        assert!(reader.is_lost());
        assert_eq!(reader.transmit(vec![0; 4].into()), Step::Failed(LinkError::Lost));
    }
}

#[test]
fn a_card_that_aborts_gets_its_answer_and_both_begin_anew() {
    let mut reader = T1::new(T1Parameters::default());
    let sent = |step: &Step| match step {
        Step::Send { bytes, .. } => bytes.expose().to_vec(),
        other => panic!("{other:?}"),
    };
    let _ = reader.transmit(vec![0; 100].into());
    let step = reader.hear(Heard::Bytes(&[0, 0xC2, 0, 0xC2]));
    assert_eq!(sent(&step), [0, 0xE2, 0, 0xE2]);
    let step = reader.hear(Heard::Bytes(&[0, 0x90, 0, 0x90]));
    assert_eq!(sent(&step), [0, 0xC0, 0, 0xC0]);
    let step = reader.hear(Heard::Bytes(&[0, 0xE0, 0, 0xE0]));
    assert_eq!(step, Step::Failed(LinkError::Aborted));
    assert_eq!(sent(&reader.transmit(vec![0; 4].into()))[..3], [0, 0, 4]);
}

#[test]
fn an_exchange_that_is_given_up_leaves_the_card_of_use() {
    let mut setup = Setup::new(T1Habits { time_extensions: 9, ..PLAIN }, Faults::NONE, 1);
    let mut dice = Dice::new(4);
    let (first, second) = (command(1, 100, 100, &mut dice), command(2, 100, 100, &mut dice));
    for steps in 0..12 {
        let mut step = setup.reader.transmit(first.as_slice().into());
        for _ in 0..steps {
            let Step::Send { bytes, .. } = &step else { panic!("{step:?}") };
            let said = setup.wire.card().receive(bytes.expose());
            step = setup.reader.hear(Heard::Bytes(&said));
        }
        let step = setup.reader.give_up();
        assert_eq!(setup.run(step).0, Step::Failed(LinkError::Aborted), "after {steps}");
        assert_eq!(setup.exchange(&second).0, Ok(answer_to(&second)), "after {steps}");
    }
}

#[test]
fn an_answer_without_a_status_word_or_without_end_is_none() {
    let mut reader = T1::new(T1Parameters::default());
    let _ = reader.transmit(vec![0; 4].into());
    let step = reader.hear(Heard::Bytes(&[0, 0, 1, 0x90, 0x91]));
    assert_eq!(step, Step::Failed(LinkError::ShortAnswer { got: 1 }));

    let endless = |length: usize| {
        let mut reader = T1::new(T1Parameters::default());
        let mut step = reader.transmit(vec![0; 4].into());
        let mut sequence = 0;
        loop {
            match step {
                Step::Send { bytes, .. } if bytes.expose()[1] == 0xC0 => {
                    step = reader.hear(Heard::Bytes(&[0, 0xE0, 0, 0xE0]));
                }
                Step::Send { .. } => {
                    let mut block = vec![0, sequence | 0x20, u8::try_from(length).unwrap()];
                    block.resize(3 + length, 0xA5);
                    block.push(block.iter().fold(0, |sum, byte| sum ^ byte));
                    sequence ^= 0x40;
                    step = reader.hear(Heard::Bytes(&block));
                }
                end => break end,
            }
        }
    };
    assert_eq!(endless(254), Step::Failed(LinkError::TooLong));
    assert_eq!(endless(0), Step::Failed(LinkError::TooLong));
}
