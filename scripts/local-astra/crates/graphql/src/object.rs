//! JSON responses, passed to apollo-compiler member by member.

use std::borrow::Cow;

use apollo_compiler::ast::Type;
use apollo_compiler::resolvers::{AsyncObjectValue, AsyncResolvedValue, FieldError, ResolveInfo};
use futures::future::BoxFuture;
use serde_json::{Map, Value};

use super::cost;

/// An object of a type, with its members by the names of the fields. Missing members are null.
struct Object<'a> {
    type_name: &'a str,
    members: Cow<'a, Map<String, Value>>,
}

impl AsyncObjectValue for Object<'_> {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn resolve_field<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
    ) -> BoxFuture<'a, Result<AsyncResolvedValue<'a>, FieldError>> {
        let value = self.members.get(info.field_name());
        let value = Cow::Borrowed(value.unwrap_or(&Value::Null));
        Box::pin(async move { Ok(part(value, &info.field_definition().ty, info)) })
    }
}

/// Converts a JSON value to the value of a field. If it makes the response too large, the execution ends here.
pub async fn resolved<'a>(value: Value, info: &'a ResolveInfo<'a>) -> AsyncResolvedValue<'a> {
    cost::spend(info, &value).await;
    part(Cow::Owned(value), &info.field_definition().ty, info)
}

fn part<'a>(
    value: Cow<'a, Value>,
    typ: &'a Type,
    info: &'a ResolveInfo<'a>,
) -> AsyncResolvedValue<'a> {
    let item = move |value| part(value, typ.item_type(), info);
    let type_name = typ.inner_named_type();
    let object = |members| AsyncResolvedValue::object(Object { type_name, members });
    let is_object = info.schema().get_object(type_name).is_some();
    match value {
        Cow::Owned(Value::Array(items)) if typ.is_list() => {
            AsyncResolvedValue::list(items.into_iter().map(Cow::Owned).map(item))
        }
        Cow::Borrowed(Value::Array(items)) if typ.is_list() => {
            AsyncResolvedValue::list(items.iter().map(Cow::Borrowed).map(item))
        }
        Cow::Owned(Value::Object(members)) if is_object => object(Cow::Owned(members)),
        Cow::Borrowed(Value::Object(members)) if is_object => object(Cow::Borrowed(members)),
        leaf => AsyncResolvedValue::leaf(leaf.into_owned()),
    }
}
