//! Cards that behave, and cards that do not, at the other end of a pipe. Time stands still but where everybody waits.

use std::future::Future;

use tokio::io::DuplexStream;

use super::*;

impl Wire for DuplexStream {}

const LIMIT: Duration = Duration::from_secs(60);
/// Less than the longest message, so that a card that reads nothing is noticed.
const PIPE_BYTES: usize = 9_000;
const ATR: &[u8] = &[0x3B, 0x80, 0x01, 0x81];
const SELECT: &[u8] = &[0x00, 0xA4, 0x04, 0x00];

/// Gives orders as the slot does.
struct Orders(mpsc::Sender<Order>);

impl Orders {
    async fn give<T>(&self, order: impl FnOnce(Reply<T>) -> Order) -> Result<T, SlotError> {
        let (reply, result) = oneshot::channel();
        self.0.send(order(reply)).await.map_err(|_| SlotError::ReaderGone)?;
        result.await.unwrap_or(Err(SlotError::ReaderGone))
    }

    async fn power(&self) -> Result<Atr, SlotError> {
        self.give(|reply| Order::Power(Control::PowerOn, reply)).await
    }

    async fn exchange(&self, command: &[u8]) -> Result<Vec<u8>, SlotError> {
        let command = command.into();
        let answer = self.give(|reply| Order::Exchange(command, reply)).await;
        answer.map(|answer| answer.expose().to_vec())
    }
}

/// A connection whose card is the future that is made of the other end.
async fn play<F: Future<Output = ()> + Send + 'static>(
    card: impl FnOnce(DuplexStream) -> F,
    slot: impl AsyncFnOnce(&Orders),
) -> End {
    let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
    let card = tokio::spawn(card(theirs));
    let (orders, mut given) = mpsc::channel(1);
    let serving =
        tokio::spawn(async move { Connection::new(Box::new(ours), LIMIT).serve(&mut given).await });
    let orders = Orders(orders);
    slot(&orders).await;
    drop(orders);
    let end = serving.await.unwrap();
    card.await.unwrap();
    end
}

/// Reads messages of the reader, and answers each question with the next of these bytes as they stand. Then it waits
/// until the reader closes.
async fn answer_with(mut wire: DuplexStream, answers: Vec<Vec<u8>>) {
    let mut answers = answers.into_iter();
    while let Ok(length) = wire.read_u16().await {
        let mut question = vec![0; length.into()];
        wire.read_exact(&mut question).await.unwrap();
        if question.len() == 1 && question != [Control::AnswerToReset.byte()] {
            continue;
        }
        let Some(answer) = answers.next() else { continue };
        // The reader may have closed in the middle of it.
        let _ = wire.write_all(&answer).await;
    }
}

fn message(content: &[u8]) -> Vec<u8> {
    encode(content).unwrap().expose().to_vec()
}

#[tokio::test(start_paused = true)]
async fn a_card_answers_to_reset_and_to_commands() {
    let answers = vec![message(ATR), message(&[0x90, 0x00]), message(&[0x5A; 65_535])];
    let card = |wire| answer_with(wire, answers);
    let end = play(card, async |orders: &Orders| {
        assert_eq!(orders.exchange(SELECT).await, Err(SlotError::NoCard), "without power");
        assert_eq!(orders.power().await.unwrap().as_bytes(), ATR);
        assert_eq!(orders.exchange(SELECT).await.unwrap(), [0x90, 0x00]);
        assert_eq!(orders.exchange(&[0; 65_535]).await.unwrap().len(), 65_535);
        assert_eq!(orders.exchange(&[0; 65_536]).await, Err(SlotError::TooLong));
        // What would be a control to the card never reaches it.
        assert_eq!(orders.exchange(&[0x00]).await, Err(SlotError::NotSupported));
        assert_eq!(orders.exchange(&[]).await, Err(SlotError::NotSupported));
        assert_eq!(orders.give(Order::PowerOff).await, Ok(()));
        assert_eq!(orders.exchange(SELECT).await, Err(SlotError::NoCard), "without power");
    });
    assert_eq!(end.await, End::Unused);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_answer_to_reset_is_no_power() {
    let cases = [
        (vec![], SlotError::Mute),
        (vec![0x3B], SlotError::BadAnswer),
        (vec![0x00, 0x00], SlotError::BadAnswer),
        (vec![0x3B; 34], SlotError::BadAnswer),
        (vec![0x3B; 65_535], SlotError::BadAnswer),
    ];
    for (atr, error) in cases {
        let answers = vec![message(&atr), message(ATR), message(&[0x90, 0x00])];
        let end = play(
            |wire| answer_with(wire, answers),
            async |orders: &Orders| {
                assert_eq!(orders.power().await, Err(error), "{} bytes", atr.len());
                assert_eq!(orders.exchange(SELECT).await, Err(SlotError::NoCard));
                assert!(orders.power().await.is_ok(), "the next time it may be right");
                assert!(orders.exchange(SELECT).await.is_ok());
            },
        );
        assert_eq!(end.await, End::Unused);
    }
}

#[tokio::test(start_paused = true)]
async fn less_than_a_status_word_is_no_answer() {
    for short in [&[][..], &[0x90]] {
        let answers = vec![message(ATR), message(short), message(&[0x90, 0x00])];
        let end = play(
            |wire| answer_with(wire, answers),
            async |orders: &Orders| {
                orders.power().await.unwrap();
                assert_eq!(orders.exchange(SELECT).await, Err(SlotError::BadAnswer));
                assert_eq!(orders.exchange(SELECT).await.unwrap(), [0x90, 0x00]);
            },
        );
        assert_eq!(end.await, End::Unused);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_cut_at_any_byte_is_a_card_that_is_gone() {
    let whole = [message(ATR), message(&[0x01, 0x90, 0x00])].concat();
    for cut in 0..whole.len() {
        let part = whole[..cut].to_vec();
        let card = |mut wire: DuplexStream| async move {
            // It says all that it will ever say as soon as it is asked for the first time.
            let mut controls = [0; 6];
            wire.read_exact(&mut controls).await.unwrap();
            wire.write_all(&part).await.unwrap();
        };
        let end = play(card, async |orders: &Orders| {
            if orders.power().await.is_ok() {
                assert!(orders.exchange(SELECT).await.is_err(), "cut at {cut}");
            }
        });
        assert!(matches!(end.await, End::Gone | End::Unasked), "cut at {cut}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_card_that_speaks_without_being_asked_is_cut_off() {
    let early = |mut wire: DuplexStream| async move {
        let _ = wire.write_all(&[0]).await;
        let _ = wire.read_u8().await;
    };
    assert_eq!(play(early, async |orders: &Orders| orders.0.closed().await).await, End::Unasked);

    let twice = vec![[message(ATR), message(&[0x90, 0x00])].concat()];
    let end = play(
        |wire| answer_with(wire, twice),
        async |orders: &Orders| {
            assert!(orders.power().await.is_ok());
            assert_eq!(orders.exchange(SELECT).await, Err(SlotError::ReaderGone), "never asked");
        },
    );
    assert_eq!(end.await, End::Unasked);
}

#[tokio::test(start_paused = true)]
async fn a_card_that_does_not_answer_has_until_its_deadline() {
    let begun = tokio::time::Instant::now();
    let silent = |wire| answer_with(wire, vec![message(ATR)]);
    let end = play(silent, async |orders: &Orders| {
        orders.power().await.unwrap();
        assert_eq!(orders.exchange(SELECT).await, Err(SlotError::Timeout));
    });
    assert_eq!(end.await, End::Silent);
    assert_eq!(begun.elapsed().as_secs(), LIMIT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn bytes_that_trickle_do_not_move_the_deadline() {
    let begun = tokio::time::Instant::now();
    let trickle = |mut wire: DuplexStream| async move {
        while wire.write_all(&[0xFF]).await.is_ok() {
            tokio::time::sleep(LIMIT / 4).await;
        }
    };
    let late = |wire: DuplexStream| async move {
        let mut wire = wire;
        let mut controls = [0; 6];
        wire.read_exact(&mut controls).await.unwrap();
        trickle(wire).await;
    };
    let end = play(late, async |orders: &Orders| {
        assert_eq!(orders.power().await, Err(SlotError::Timeout));
    });
    assert_eq!(end.await, End::Silent);
    assert!(begun.elapsed() <= LIMIT * 2);
}

#[tokio::test(start_paused = true)]
async fn a_card_that_never_reads_is_silent_too() {
    let deaf = |mut wire: DuplexStream| async move {
        let mut controls = [0; 6];
        wire.read_exact(&mut controls).await.unwrap();
        wire.write_all(&message(ATR)).await.unwrap();
        tokio::time::sleep(LIMIT * 2).await;
    };
    let end = play(deaf, async |orders: &Orders| {
        orders.power().await.unwrap();
        assert_eq!(orders.exchange(&[0; 65_535]).await, Err(SlotError::Timeout));
    });
    assert_eq!(end.await, End::Silent);
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_an_order_that_was_given_up_is_nobody_elses() {
    let answers = vec![message(ATR), message(&[0x11, 0x90, 0x00]), message(&[0x22, 0x90, 0x00])];
    let card = |wire| answer_with(wire, answers);
    let end = play(card, async |orders: &Orders| {
        orders.power().await.unwrap();
        let (reply, given_up) = oneshot::channel();
        assert!(orders.0.send(Order::Exchange(SELECT.into(), reply)).await.is_ok());
        drop(given_up);
        assert_eq!(orders.exchange(SELECT).await.unwrap(), [0x22, 0x90, 0x00]);
    });
    assert_eq!(end.await, End::Unused);
}
