//! Random documents, filters and updates; the same ones in every run.

use serde_json::{Map, Value, json};

/// A generator of numbers: xorshift.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed | 1)
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    pub fn one_of<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())].clone()
    }

    /// A value out of few, so that some are equal.
    pub fn scalar(&mut self) -> Value {
        let values = [
            json!(0),
            json!(1),
            json!(2),
            json!(-1.5),
            json!(10_000_000_000_i64),
            json!("a"),
            json!("b"),
            json!(""),
            json!("é 'quoted' \"text\""),
            json!(true),
            json!(false),
            json!(null),
            json!({"$date": 5}),
            json!({"$date": -7}),
        ];
        self.one_of(&values)
    }

    pub fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 6 } else { 10 }) {
            0..=5 => self.scalar(),
            6..=7 => (0..self.below(4)).map(|_| self.value(depth - 1)).collect(),
            _ => Value::Object(self.members(depth - 1)),
        }
    }

    pub fn members(&mut self, depth: usize) -> Map<String, Value> {
        let mut members = Map::new();
        for _ in 0..self.below(4) {
            let name = self.name();
            members.insert(name, self.value(depth));
        }
        members
    }

    fn name(&mut self) -> String {
        self.one_of(&["a", "b", "c", "x.y", "n&m"]).to_owned()
    }

    pub fn document(&mut self, id: usize) -> Value {
        let mut document = Map::from_iter([("_id".to_owned(), json!(format!("d{id}")))]);
        document.extend(self.members(3));
        Value::Object(document)
    }

    pub fn path(&mut self) -> String {
        let segments = ["a", "b", "c", "x&.y", "n&&m", "0", "1"];
        let mut path = self.one_of(&segments[..5]).to_owned();
        for _ in 0..self.below(3) {
            path = format!("{path}.{}", self.one_of(&segments));
        }
        path
    }

    pub fn filter(&mut self, depth: usize) -> Value {
        let mut filter = Map::new();
        for _ in 0..=self.below(2) {
            match self.below(if depth == 0 { 6 } else { 9 }) {
                0..=5 => {
                    let path = self.path();
                    filter.insert(path, self.condition());
                }
                6 => {
                    let parts: Vec<Value> = (0..=self.below(2))
                        .map(|_| self.filter(depth - 1))
                        .collect();
                    filter.insert("$and".to_owned(), json!(parts));
                }
                7 => {
                    // One member each: more would be alternatives of their own.
                    let parts: Vec<Value> = (0..=self.below(3))
                        .map(|_| {
                            let path = self.path();
                            Value::Object(Map::from_iter([(path, self.condition())]))
                        })
                        .collect();
                    filter.insert("$or".to_owned(), json!(parts));
                }
                _ => {
                    let path = self.path();
                    let inner = Map::from_iter([(path, self.condition())]);
                    filter.insert("$not".to_owned(), Value::Object(inner));
                }
            }
        }
        Value::Object(filter)
    }

    fn condition(&mut self) -> Value {
        let without_dates = |random: &mut Random| loop {
            let value = random.scalar();
            if !value.is_object() {
                return value;
            }
        };
        match self.below(12) {
            0 => json!({"$eq": self.scalar()}),
            1 => json!({"$ne": self.scalar()}),
            2..=4 => {
                let operator = self.one_of(&["$gt", "$gte", "$lt", "$lte"]);
                loop {
                    let value = self.scalar();
                    if !value.is_null() {
                        break json!({operator: value});
                    }
                }
            }
            5 => {
                json!({"$in": (0..self.below(4)).map(|_| without_dates(self)).collect::<Vec<_>>()})
            }
            6 => {
                json!({"$nin": (0..self.below(4)).map(|_| without_dates(self)).collect::<Vec<_>>()})
            }
            7 => json!({"$exists": self.below(2) == 0}),
            8 => json!({"$size": self.below(3)}),
            9 => {
                json!({"$all": (0..=self.below(2)).map(|_| without_dates(self)).collect::<Vec<_>>()})
            }
            10 => json!({"$eq": [without_dates(self), without_dates(self)]}),
            _ => self.scalar(),
        }
    }

    pub fn update(&mut self) -> Value {
        let operator = self.one_of(&[
            "$set",
            "$unset",
            "$inc",
            "$mul",
            "$min",
            "$max",
            "$push",
            "$addToSet",
            "$pop",
            "$rename",
        ]);
        let operand = match operator {
            "$unset" => json!(1),
            "$inc" | "$mul" => json!(self.one_of(&[0, 1, -2, 7])),
            "$pop" => json!(self.one_of(&[1, -1])),
            "$rename" => json!(self.one_of(&["z", "a.z", "b.z"])),
            _ => self.value(1),
        };
        let operand = match operator {
            "$push" | "$addToSet" if self.below(2) == 0 => {
                json!({"$each": [operand, self.scalar()]})
            }
            _ => operand,
        };
        json!({operator: {self.path(): operand}})
    }
}
