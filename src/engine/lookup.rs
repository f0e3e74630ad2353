//! A map that can only be looked up, never walked: so it may hash without its order becoming behaviour.
#![allow(clippy::disallowed_types)]

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use rustc_hash::FxBuildHasher;

/// Constant-time look-up by key. The hasher has no random seed, so a run can be repeated.
#[derive(Debug, Clone)]
pub struct Lookup<K, V>(HashMap<K, V, FxBuildHasher>);

impl<K, V> Default for Lookup<K, V> {
    fn default() -> Self {
        Lookup(HashMap::default())
    }
}

impl<K: Hash + Eq, V> Lookup<K, V> {
    /// The value under this key.
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(key)
    }

    /// Puts a value under a key; gives back the one that stood there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0.insert(key, value)
    }

    /// Removes a key.
    pub fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.0.remove(key)
    }
}
