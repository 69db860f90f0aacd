//! Names of tags: ISO 7816-4:2020, table 9 and annex; SP 800-73-4 part 1, appendix A, and part 2, chapter 3.

/// The name of `tag` inside `scope`: the tag around it, or the data object that the command asked for.
pub(super) fn name(tag: u32, scope: u32) -> Option<&'static str> {
    let here = IN_SCOPE.iter().find(|(inside, known, _)| *inside == scope && *known == tag);
    let certificate = || {
        let row = CERTIFICATE.iter().find(|(known, _)| *known == tag);
        if is_certificate(scope) { row.map(|(_, name)| *name) } else { None }
    };
    let anywhere = || ANYWHERE.iter().find(|(known, _)| *known == tag).map(|(_, name)| *name);
    here.map(|(_, _, name)| *name).or_else(certificate).or_else(anywhere)
}

/// Whether the tag has the constructed bit and yet holds no BER-TLV to be shown.
pub(super) const fn is_opaque(tag: u32) -> bool {
    matches!(tag, 0x70 | 0x71 | 0x72 | 0x30 | 0x31..=0x36 | 0x3E | 0xFE | 0xF0..=0xF7)
}

/// The containers of certificates: 9A, 9C, 9D, 9E and the twenty retired keys.
const fn is_certificate(object: u32) -> bool {
    matches!(
        object,
        0x5F_C101 | 0x5F_C105 | 0x5F_C10A | 0x5F_C10B | 0x5F_C10D..=0x5F_C120 | 0x5F_FF01
    )
}

const ANYWHERE: &[(u32, &str)] = &[
    (0x4F, "application identifier"),
    (0x50, "application label"),
    (0x53, "data object"),
    (0x5C, "tag list"),
    (0x5F2F, "PIN usage policy"),
    (0x5F50, "uniform resource locator"),
    (0x61, "application property template"),
    (0x6F, "file control information"),
    (0x79, "coexistent tag allocation authority"),
    (0x7C, "dynamic authentication template"),
    (0x7E, "discovery object"),
    (0x7F49, "public key"),
    (0x7F61, "biometric information group template"),
    (0xAC, "cryptographic algorithm identifiers"),
    (0xFE, "error detection code"),
];

const CERTIFICATE: &[(u32, &str)] =
    &[(0x70, "certificate"), (0x71, "certificate information"), (0x72, "MSCUID")];

const IN_SCOPE: &[(u32, u32, &str)] = &[
    (0xAC, 0x80, "algorithm"),
    (0xAC, 0x06, "object identifier"),
    (0x7C, 0x80, "witness"),
    (0x7C, 0x81, "challenge"),
    (0x7C, 0x82, "response"),
    (0x7C, 0x85, "exponentiation"),
    (0x7F49, 0x81, "modulus"),
    (0x7F49, 0x82, "public exponent"),
    (0x7F49, 0x86, "public point"),
    // Card holder unique identifier.
    (0x5F_C102, 0x30, "FASC-N"),
    (0x5F_C102, 0x32, "organisational identifier"),
    (0x5F_C102, 0x33, "DUNS"),
    (0x5F_C102, 0x34, "GUID"),
    (0x5F_C102, 0x35, "expiration date"),
    (0x5F_C102, 0x36, "cardholder UUID"),
    (0x5F_C102, 0x3E, "issuer's signature"),
    // Card capability container.
    (0x5F_C107, 0xF0, "card identifier"),
    (0x5F_C107, 0xF1, "capability container version"),
    (0x5F_C107, 0xF2, "capability grammar version"),
    (0x5F_C107, 0xF3, "applications card URL"),
    (0x5F_C107, 0xF4, "PKCS #15"),
    (0x5F_C107, 0xF5, "registered data model"),
    (0x5F_C107, 0xF6, "access control rule table"),
    (0x5F_C107, 0xF7, "card APDUs"),
    (0x5F_C107, 0xFA, "redirection tag"),
    (0x5F_C107, 0xFB, "capability tuples"),
    (0x5F_C107, 0xFC, "status tuples"),
    (0x5F_C107, 0xFD, "next CCC"),
    // Security object.
    (0x5F_C106, 0xBA, "data groups and containers"),
    (0x5F_C106, 0xBB, "security object"),
    // Biometrics.
    (0x5F_C103, 0xBC, "fingerprints"),
    (0x5F_C108, 0xBC, "facial image"),
    (0x5F_C121, 0xBC, "iris images"),
    // Printed information.
    (0x5F_C109, 0x01, "name"),
    (0x5F_C109, 0x02, "employee affiliation"),
    (0x5F_C109, 0x04, "expiration date"),
    (0x5F_C109, 0x05, "agency card serial number"),
    (0x5F_C109, 0x06, "issuer"),
    // Key history.
    (0x5F_C10C, 0xC1, "keys with certificates on the card"),
    (0x5F_C10C, 0xC2, "keys with certificates elsewhere"),
    (0x5F_C10C, 0xF3, "off-card certificate URL"),
    // Secure messaging certificate signer, pairing code.
    (0x5F_C122, 0x70, "certificate"),
    (0x5F_C122, 0x71, "certificate information"),
    (0x5F_C122, 0x7F21, "intermediate card verifiable certificate"),
    (0x5F_C123, 0x99, "pairing code"),
    // Yubico's administration data.
    (0x5F_FF00, 0x80, "administration data"),
];
