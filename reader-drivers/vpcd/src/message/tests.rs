//! Messages as bytes: whole, cut and long.

use proptest::prelude::*;

use super::*;

/// All messages in a stream that comes in one piece.
fn messages(stream: &[u8]) -> (Vec<Vec<u8>>, bool) {
    let mut inbox = Inbox::default();
    let mut found = Vec::new();
    for chunk in stream.chunks(FIRST_ROOM_BYTES) {
        let room = inbox.room();
        let room = &mut room[..chunk.len()];
        room.copy_from_slice(chunk);
        inbox.fill(chunk.len());
        while let Some(content) = inbox.take() {
            found.push(content.expose().to_vec());
        }
    }
    (found, inbox.is_partial())
}

#[test]
fn messages_have_their_length_in_front() {
    for (content, message) in [
        (&[][..], &[0, 0][..]),
        (&[4], &[0, 1, 4]),
        (&[0x00, 0xA4, 0x04, 0x00], &[0, 4, 0x00, 0xA4, 0x04, 0x00]),
    ] {
        assert_eq!(encode(content).unwrap().expose(), message);
        assert_eq!(messages(message), (vec![content.to_vec()], false));
    }
}

#[test]
fn questions_of_one_byte_are_controls() {
    let controls = [Control::PowerOff, Control::PowerOn, Control::Reset, Control::AnswerToReset];
    assert_eq!(controls.map(Control::byte), [0, 1, 2, 4]);
    for control in controls {
        assert_eq!(Question::read(&[control.byte()]), Question::Control(control));
    }
    for byte in [3, 5, 0xFF] {
        assert_eq!(Question::read(&[byte]), Question::Unknown(byte));
    }
    for command in [&[][..], &[0x00, 0x01], &[0x00, 0xA4, 0x04, 0x00]] {
        assert_eq!(Question::read(command), Question::Command(command));
    }
}

#[test]
fn a_message_cut_at_any_byte_is_none_yet() {
    let whole = encode(b"an answer 90 00").unwrap();
    for end in 0..whole.len() {
        let (found, is_partial) = messages(&whole.expose()[..end]);
        assert_eq!((found.len(), is_partial), (0, end > 0), "cut at {end}");
    }
}

#[test]
fn the_longest_message_is_as_long_as_its_length_can_say() {
    let longest = vec![0x5A; MAX_CONTENT_BYTES];
    let message = encode(&longest).unwrap();
    assert_eq!(message.len(), MAX_MESSAGE_BYTES);
    assert_eq!(messages(message.expose()), (vec![longest], false));
    assert_eq!(encode(&vec![0; MAX_CONTENT_BYTES + 1]), Err(TooLong));
}

#[test]
fn a_length_alone_reserves_what_it_announces_and_no_more() {
    let mut inbox = Inbox::default();
    inbox.room()[..2].copy_from_slice(&[0xFF, 0xFF]);
    inbox.fill(2);
    assert_eq!(inbox.room().len(), MAX_MESSAGE_BYTES - 2);
    // A number of bytes that nobody can have put there.
    inbox.fill(usize::MAX);
    assert_eq!(inbox.take().map(|content| content.len()), Some(MAX_CONTENT_BYTES));
}

#[test]
fn nothing_of_a_message_is_printed() {
    let mut inbox = Inbox::default();
    inbox.room()[..3].copy_from_slice(&[0, 9, 0xAB]);
    inbox.fill(3);
    let command = Question::read(&[0xAB; 9]);
    assert_eq!(format!("{inbox:?} {command:?}"), "Inbox(3 bytes) Command(9 bytes)");
}

proptest! {
    #[test]
    fn it_does_not_matter_how_a_stream_is_cut(
        contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8),
        tail in prop::collection::vec(any::<u8>(), 0..40),
        cut in 1_usize..700,
    ) {
        let mut stream: Vec<u8> = Vec::new();
        for content in &contents {
            stream.extend(encode(content).unwrap().expose());
        }
        stream.extend(tail);
        check(&stream, cut);
    }
}
