//! GENERAL AUTHENTICATE for signatures, SP 800-73-4 part 2, 3.2.4 and appendix A.4.

use scard_types::{CommandApdu, tlv};

use super::{Digest, KeyAlgorithm, KeySlot, Piv};
use crate::{CardKeyError, Exchange, Malformation, Operation};

/// Dynamic authentication template.
const TEMPLATE: u32 = 0x7C;
/// What the card is to work on.
const CHALLENGE: u32 = 0x81;
/// What the card made of it; empty in a command: "give me this".
const RESPONSE: u32 = 0x82;

impl<E: Exchange> Piv<E> {
    /// Signs a digest: PKCS #1 v1.5 with an RSA key, ECDSA otherwise (a DER `SEQUENCE` of r and s).
    ///
    /// # Errors
    /// [`CardKeyError::PinRequired`] if the PIN has to be verified first, for slot 9C just before each signature;
    /// [`CardKeyError::Refused`], [`CardKeyError::Malformed`], and what [`crate::send`] gives.
    pub fn sign(
        &mut self,
        slot: KeySlot,
        algorithm: KeyAlgorithm,
        digest: Digest<'_>,
    ) -> Result<Vec<u8>, CardKeyError> {
        let operation = Operation::Sign(slot);
        let mut request = tlv::element(RESPONSE, &[]);
        tlv::write(&mut request, CHALLENGE, &block(algorithm, digest));
        let command = CommandApdu::new(0x00, 0x87, algorithm.identifier(), slot.reference())
            .with_data(tlv::element(TEMPLATE, &request))
            .with_expected(256);
        let answer = self.ask(operation, &command)?;
        let malformed = |what| CardKeyError::Malformed { operation, what };
        let template = tlv::find(answer.data.expose(), TEMPLATE)
            .ok_or(malformed(Malformation::Missing { tag: TEMPLATE }))?;
        let signature = tlv::find(template, RESPONSE)
            .ok_or(malformed(Malformation::Missing { tag: RESPONSE }))?;
        if signature.is_empty() || (algorithm.is_rsa() && signature.len() != algorithm.key_bytes())
        {
            let got = signature.len();
            return Err(malformed(Malformation::WrongLength { tag: RESPONSE, got }));
        }
        Ok(signature.to_vec())
    }
}

/// What the card works on: for RSA `00 01 FF.. 00 DigestInfo` as long as the key (RFC 8017, 9.2; the smallest key
/// here has room for the longest digest), for ECDSA the leftmost bytes of the digest.
fn block(algorithm: KeyAlgorithm, digest: Digest<'_>) -> Vec<u8> {
    let key_bytes = algorithm.key_bytes();
    let bytes = digest.as_bytes();
    if !algorithm.is_rsa() {
        return bytes.get(..key_bytes).unwrap_or(bytes).to_vec();
    }
    let prefix = digest.digest_info_prefix();
    let info_bytes = prefix.len().saturating_add(bytes.len());
    let mut block = vec![0x00, 0x01];
    block.resize(key_bytes.saturating_sub(info_bytes).saturating_sub(1), 0xFF);
    block.push(0x00);
    block.extend_from_slice(prefix);
    block.extend_from_slice(bytes);
    block
}
