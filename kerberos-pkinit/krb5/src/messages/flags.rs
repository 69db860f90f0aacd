//! `KerberosFlags`, RFC 4120, 5.2.8: 32 bits that are numbered from the highest.

/// A set of such bits, each with its number in the standard.
macro_rules! flags {
    ($(#[$doc:meta])* $set:ident { $($(#[$of:meta])* $name:ident = $bit:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $set(pub u32);

        impl $set {
            $($(#[$of])* pub const $name: Self = Self(1 << (31 - $bit));)*

            /// These and those.
            #[must_use]
            pub const fn with(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// Whether all of those are among these.
            #[must_use]
            pub const fn has(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }
        }
    };
}

flags! {
    /// What the client wants of the ticket (RFC 4120, 5.4.1).
    KdcOptions {
        /// forwardable(1).
        FORWARDABLE = 1,
        /// proxiable(3).
        PROXIABLE = 3,
        /// renewable(8).
        RENEWABLE = 8,
        /// canonicalize(15), RFC 6806.
        CANONICALIZE = 15,
        /// request-anonymous(16), RFC 6112.
        REQUEST_ANONYMOUS = 16,
        /// renewable-ok(27).
        RENEWABLE_OK = 27,
        /// renew(30).
        RENEW = 30,
    }
}

flags! {
    /// What a ticket may be used for (RFC 4120, 5.3).
    TicketFlags {
        /// forwardable(1).
        FORWARDABLE = 1,
        /// renewable(8).
        RENEWABLE = 8,
        /// initial(9).
        INITIAL = 9,
        /// pre-authent(10).
        PRE_AUTHENT = 10,
        /// hw-authent(11).
        HW_AUTHENT = 11,
        /// enc-pa-rep(15), RFC 6806.
        ENC_PA_REP = 15,
        /// anonymous(16), RFC 6112.
        ANONYMOUS = 16,
    }
}
