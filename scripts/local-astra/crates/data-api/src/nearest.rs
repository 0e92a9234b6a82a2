//! The search for the nearest to a vector, if everything that fits a filter is compared.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// The nearest so far, at most `count`. Among equally near ones the least key comes first.
pub struct Nearest<K, V> {
    count: usize,
    heap: BinaryHeap<Near<K, V>>,
}

impl<K: Ord, V> Nearest<K, V> {
    pub fn new(count: usize) -> Nearest<K, V> {
        Nearest {
            count,
            heap: BinaryHeap::new(),
        }
    }

    pub fn add(&mut self, similarity: f32, key: K, value: V) {
        self.heap.push(Near {
            similarity,
            key,
            value,
        });
        if self.heap.len() > self.count {
            self.heap.pop();
        }
    }

    /// Returns similarity, key and value of each, the nearest first.
    pub fn into_sorted(self) -> impl Iterator<Item = (f32, K, V)> {
        let sorted = self.heap.into_sorted_vec().into_iter();
        sorted.map(|near| (near.similarity, near.key, near.value))
    }
}

/// The least similar is the greatest.
struct Near<K, V> {
    similarity: f32,
    key: K,
    value: V,
}

impl<K: Ord, V> Ord for Near<K, V> {
    fn cmp(&self, other: &Self) -> Ordering {
        let similarity = other.similarity.total_cmp(&self.similarity);
        similarity.then_with(|| self.key.cmp(&other.key))
    }
}

impl<K: Ord, V> PartialOrd for Near<K, V> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K: Ord, V> PartialEq for Near<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<K: Ord, V> Eq for Near<K, V> {}
