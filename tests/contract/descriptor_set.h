/*
 * A FileDescriptorSet as protoc writes it, and files as texts.
 */
#ifndef CONTRACT_DESCRIPTOR_SET_H
#define CONTRACT_DESCRIPTOR_SET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/text.h"
#include "google/protobuf/descriptor.pb-c.h"

enum { DESCRIPTOR_TEXT_MAX = 1024 * 1024 };

typedef Google__Protobuf__FileDescriptorSet FileSet;
typedef Google__Protobuf__FileDescriptorProto File;
typedef Google__Protobuf__DescriptorProto Message;
typedef Google__Protobuf__FieldDescriptorProto Field;
typedef Google__Protobuf__EnumDescriptorProto Enum;

// Fails the test where the file can't be read.
void descriptor_read_file(const char *path, Text *text);
FileSet *descriptor_read_set(const char *path);
void descriptor_free_set(FileSet **set);
// Whether the file is ours: not one of google/protobuf.
bool descriptor_is_own(const File *file);

#endif
