"""Protocol buffers of the configuration files whose messages tensorflow-serving-api lacks."""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

# The fields of the messages, from TensorFlow Serving's session_bundle_config.proto,
# monitoring_config.proto and ssl_config.proto.
_INT64 = ".google.protobuf.Int64Value"
_MESSAGES = {
    "BatchingParameters": [
        ("max_batch_size", 1, _INT64),
        ("batch_timeout_micros", 2, _INT64),
        ("max_enqueued_batches", 3, _INT64),
        ("num_batch_threads", 4, _INT64),
        ("thread_pool_name", 5, ".google.protobuf.StringValue"),
        ("allowed_batch_sizes", 6, "repeated int64"),
        ("pad_variable_length_inputs", 7, "bool"),
        ("enable_large_batch_splitting", 8, ".google.protobuf.BoolValue"),
    ],
    "PrometheusConfig": [("enable", 1, "bool"), ("path", 2, "string")],
    "MonitoringConfig": [("prometheus_config", 1, ".kerashw.serving.PrometheusConfig")],
    "SSLConfig": [
        ("server_key", 1, "string"),
        ("server_cert", 2, "string"),
        ("custom_ca", 3, "string"),
        ("client_verify", 4, "bool"),
    ],
}


def empty_message(name):
    """Return an empty message.

    Args:
        name: String, the name of a message in `_MESSAGES`.
    """
    pool = descriptor_pool.DescriptorPool()
    wrappers = descriptor_pb2.FileDescriptorProto()
    wrappers_pb2.DESCRIPTOR.CopyToProto(wrappers)
    pool.Add(wrappers)
    file = descriptor_pb2.FileDescriptorProto(
        name="serving.proto",
        package="kerashw.serving",
        syntax="proto3",
        dependency=[wrappers.name],
    )
    for message_name, fields in _MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for field_name, number, kind in fields:
            message.field.append(_field(field_name, number, kind))
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"kerashw.serving.{name}"))()


def _field(name, number, kind):
    proto = descriptor_pb2.FieldDescriptorProto
    types = {"int64": proto.TYPE_INT64, "bool": proto.TYPE_BOOL, "string": proto.TYPE_STRING}
    repeated = kind.startswith("repeated ")
    kind = kind.removeprefix("repeated ")
    return proto(
        name=name,
        number=number,
        label=proto.LABEL_REPEATED if repeated else proto.LABEL_OPTIONAL,
        type=types.get(kind, proto.TYPE_MESSAGE),
        type_name=kind if kind not in types else None,
    )
