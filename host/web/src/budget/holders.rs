//! The holders of room, and how much more one of them may take.
//!
//! Whoever asks leaves half of what the others have left. So the first may hold half of all, the
//! next a quarter, and there is always some for one who holds nothing. An address is counted, and
//! a user with all their addresses.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Who holds room: an address, and the user who asks from there, if it has a name.
#[derive(Debug, Clone)]
pub(super) struct Holder {
    pub(super) address: IpAddr,
    pub(super) user: Option<Arc<str>>,
}

/// Bytes that are held.
#[derive(Debug, Default)]
pub(super) struct Held {
    sum: usize,
    addresses: HashMap<IpAddr, usize>,
    users: HashMap<Arc<str>, usize>,
}

impl Held {
    /// Bytes of all holders.
    pub(super) fn sum(&self) -> usize {
        self.sum
    }

    /// Whether this holder may take so many bytes more, where all may hold `total`.
    pub(super) fn fits(&self, holder: &Holder, bytes: usize, total: usize) -> bool {
        let leaves_half = |own: usize| {
            let left = total.saturating_sub(self.sum.saturating_sub(own));
            own.saturating_add(bytes) <= left / 2
        };
        let of_address = self.addresses.get(&holder.address).copied();
        let of_user = |user: &Arc<str>| self.users.get(user).copied().unwrap_or(0);
        let user = holder.user.as_ref().map(of_user);
        leaves_half(of_address.unwrap_or(0)) && user.is_none_or(leaves_half)
    }

    /// Counts so many bytes for this holder.
    pub(super) fn add(&mut self, holder: &Holder, bytes: usize) {
        self.sum = self.sum.saturating_add(bytes);
        let own = self.addresses.entry(holder.address).or_default();
        *own = own.saturating_add(bytes);
        if let Some(user) = &holder.user {
            let own = self.users.entry(Arc::clone(user)).or_default();
            *own = own.saturating_add(bytes);
        }
    }

    /// Takes so many bytes off this holder's count.
    pub(super) fn give_back(&mut self, holder: &Holder, bytes: usize) {
        self.sum = self.sum.saturating_sub(bytes);
        less(&mut self.addresses, &holder.address, bytes);
        if let Some(user) = &holder.user {
            less(&mut self.users, user, bytes);
        }
    }
}

/// Lowers a count; one of nothing goes.
fn less<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K, bytes: usize) {
    if let Some(own) = counts.get_mut(key) {
        *own = own.saturating_sub(bytes);
        if *own == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(n: u8, user: &str) -> Holder {
        Holder {
            address: [10, 0, 0, n].into(),
            user: (!user.is_empty()).then(|| user.into()),
        }
    }

    /// As many bytes as this holder gets, one by one.
    fn greedy(held: &mut Held, holder: &Holder) -> usize {
        let mut count = 0;
        while held.fits(holder, 1, 1000) {
            held.add(holder, 1);
            count += 1;
        }
        count
    }

    #[test]
    fn each_leaves_half_of_what_is_left() {
        let mut held = Held::default();
        let first = holder(1, "");
        assert_eq!(greedy(&mut held, &first), 500);
        assert_eq!(greedy(&mut held, &holder(2, "")), 250);
        assert_eq!(greedy(&mut held, &holder(3, "")), 125);
        assert_eq!(greedy(&mut held, &first), 0);
        held.give_back(&first, 500);
        assert_eq!(greedy(&mut held, &holder(4, "")), 312);
    }

    #[test]
    fn a_user_has_one_share_from_all_addresses_and_an_address_one_for_all_users() {
        let mut held = Held::default();
        assert_eq!(greedy(&mut held, &holder(1, "eve")), 500);
        assert_eq!(greedy(&mut held, &holder(2, "eve")), 0);
        assert_eq!(greedy(&mut held, &holder(1, "ann")), 0);
        assert_eq!(greedy(&mut held, &holder(2, "ann")), 250);
        held.give_back(&holder(1, "eve"), 500);
        held.give_back(&holder(2, "ann"), 250);
        assert!(held.sum == 0 && held.addresses.is_empty() && held.users.is_empty());
    }
}
