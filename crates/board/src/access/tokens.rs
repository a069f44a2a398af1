//! Tokens by their hashes: what a core dump shows opens nothing.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::{Role, TokenGrant};

struct Known {
    name: String,
    role: Role,
    hash: [u8; 32],
}

/// Everybody's.
pub(super) struct Tokens(Vec<Known>);

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|known| &known.name);
        f.debug_list().entries(names).finish()
    }
}

impl Tokens {
    pub(super) fn new(grants: &[TokenGrant]) -> Self {
        let known = grants.iter().map(|grant| Known {
            name: grant.name.clone(),
            role: grant.role,
            hash: hash(&grant.token),
        });
        Self(known.collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose it is. All are compared, so that the time says nothing of where it was found.
    pub(super) fn find(&self, token: &str) -> Option<(&str, Role)> {
        let given = hash(token);
        let (mut found, mut place) = (Choice::from(0), 0_u32);
        for (at, known) in (0_u32..).zip(&self.0) {
            let same = known.hash.ct_eq(&given);
            place.conditional_assign(&at, same);
            found |= same;
        }
        let known = self.0.get(place as usize)?;
        bool::from(found).then_some((known.name.as_str(), known.role))
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
