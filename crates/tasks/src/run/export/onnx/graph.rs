//! A graph that grows by one operator after the other.

use super::proto::{AttributeProto, NodeProto, TensorProto};

/// What flows in a graph, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value(String);

impl Value {
    /// An input of the graph or a weight.
    pub(super) fn named(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Stands for an input that is left out.
    pub(super) fn none() -> Self {
        Self(String::new())
    }
}

/// Operators and constants.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
}

impl Graph {
    /// The operators, each behind those whose results it takes, and the constants.
    pub(super) fn into_parts(self) -> (Vec<NodeProto>, Vec<TensorProto>) {
        (self.nodes, self.constants)
    }

    /// An operator of one result.
    pub(super) fn node(
        &mut self,
        operator: &str,
        inputs: &[&Value],
        attributes: Vec<AttributeProto>,
    ) -> Value {
        let value = Value(format!("{operator}.{}", self.nodes.len()));
        self.add(operator, inputs, vec![value.clone()], attributes);
        value
    }

    /// An operator of one result that has nothing to be set.
    pub(super) fn plain(&mut self, operator: &str, inputs: &[&Value]) -> Value {
        self.node(operator, inputs, Vec::new())
    }

    /// Gives a value the name of an output.
    pub(super) fn output(&mut self, name: &str, value: &Value) {
        self.add("Identity", &[value], vec![Value::named(name)], Vec::new());
    }

    /// Parts of a value along an axis, of these lengths.
    pub(super) fn split<const N: usize>(
        &mut self,
        value: &Value,
        axis: i64,
        lengths: [usize; N],
    ) -> [Value; N] {
        let number = self.nodes.len();
        let parts: [Value; N] = std::array::from_fn(|part| Value(format!("Split.{number}.{part}")));
        let lengths = self.whole(&lengths.map(|length| length as i64));
        let attributes = vec![whole("axis", axis)];
        self.add("Split", &[value, &lengths], parts.to_vec(), attributes);
        parts
    }

    fn add(
        &mut self,
        operator: &str,
        inputs: &[&Value],
        outputs: Vec<Value>,
        attributes: Vec<AttributeProto>,
    ) {
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|value| value.0.clone()).collect(),
            output: outputs.into_iter().map(|value| value.0).collect(),
            name: format!("{operator}.{}", self.nodes.len()),
            op_type: operator.to_owned(),
            attribute: attributes,
        });
    }

    /// Values side by side along an axis.
    pub(super) fn joined(&mut self, values: &[&Value], axis: i64) -> Value {
        self.node("Concat", values, vec![whole("axis", axis)])
    }

    /// A value in another shape: 0 keeps a length, −1 is what is left.
    pub(super) fn reshaped(&mut self, value: &Value, shape: &[i64]) -> Value {
        let shape = self.whole(shape);
        self.plain("Reshape", &[value, &shape])
    }

    /// A value with further axes of length 1, which the result has at these places.
    pub(super) fn widened(&mut self, value: &Value, axes: &[i64]) -> Value {
        let axes = self.whole(axes);
        self.plain("Unsqueeze", &[value, &axes])
    }

    /// A value with its axes in another order.
    pub(super) fn turned(&mut self, value: &Value, axes: &[i64]) -> Value {
        self.node("Transpose", &[value], vec![wholes("perm", axes)])
    }

    /// Sums along an axis, which stays with a length of 1 if it is to be kept.
    pub(super) fn sum(&mut self, value: &Value, axis: i64, keep: bool) -> Value {
        let axes = self.whole(&[axis]);
        let attributes = vec![whole("keepdims", keep.into())];
        self.node("ReduceSum", &[value, &axes], attributes)
    }

    /// Lengths of a value's axes, from one axis on and before another, as a vector.
    pub(super) fn lengths(&mut self, value: &Value, from: i64, before: i64) -> Value {
        let range = vec![whole("start", from), whole("end", before)];
        self.node("Shape", &[value], range)
    }

    /// The numbers of a value in another type of [`TensorProto`]'s.
    pub(super) fn cast(&mut self, value: &Value, data_type: i32) -> Value {
        self.node("Cast", &[value], vec![whole("to", data_type.into())])
    }

    /// A constant number.
    pub(super) fn number(&mut self, number: f32) -> Value {
        self.numbers(&[number], &[])
    }

    /// Constant numbers in a shape.
    pub(super) fn numbers(&mut self, numbers: &[f32], shape: &[usize]) -> Value {
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
        self.constant(TensorProto::FLOAT, shape, bytes.collect())
    }

    /// A constant number in double precision.
    pub(super) fn double(&mut self, number: f64) -> Value {
        self.constant(TensorProto::DOUBLE, &[], number.to_le_bytes().to_vec())
    }

    /// Constant whole numbers as a vector.
    pub(super) fn whole(&mut self, numbers: &[i64]) -> Value {
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
        self.constant(TensorProto::INT64, &[numbers.len()], bytes.collect())
    }

    /// A constant whole number that is no vector.
    pub(super) fn scalar(&mut self, number: i64) -> Value {
        self.constant(TensorProto::INT64, &[], number.to_le_bytes().to_vec())
    }

    /// A constant, the one that is there already if there is.
    fn constant(&mut self, data_type: i32, shape: &[usize], raw_data: Vec<u8>) -> Value {
        let dims: Vec<i64> = shape.iter().map(|&length| length as i64).collect();
        let same = |it: &&TensorProto| {
            (it.data_type, &it.dims, &it.raw_data) == (data_type, &dims, &raw_data)
        };
        if let Some(known) = self.constants.iter().find(same) {
            return Value(known.name.clone());
        }
        let name = format!("constant.{}", self.constants.len());
        let value = Value(name.clone());
        self.constants.push(TensorProto {
            dims,
            data_type,
            name,
            raw_data,
        });
        value
    }
}

/// An attribute that is a whole number.
pub(super) fn whole(name: &str, number: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        i: Some(number),
        r#type: AttributeProto::INT,
        ..Default::default()
    }
}

/// An attribute that is several whole numbers.
pub(super) fn wholes(name: &str, numbers: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        ints: numbers.to_vec(),
        r#type: AttributeProto::INTS,
        ..Default::default()
    }
}

/// An attribute that is a number.
pub(super) fn number(name: &str, number: f64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        f: Some(number as f32),
        r#type: AttributeProto::FLOAT,
        ..Default::default()
    }
}

/// An attribute that is a word.
pub(super) fn word(name: &str, word: &str) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        s: Some(word.as_bytes().to_vec()),
        r#type: AttributeProto::STRING,
        ..Default::default()
    }
}

/// An attribute that is one whole number, as a tensor.
pub(super) fn whole_tensor(name: &str, number: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        t: Some(TensorProto {
            dims: vec![1],
            data_type: TensorProto::INT64,
            name: String::new(),
            raw_data: number.to_le_bytes().to_vec(),
        }),
        r#type: AttributeProto::TENSOR,
        ..Default::default()
    }
}
