// A stand-in for TFLM's header.
#ifndef FLATBUFFERS_GENERATED_SCHEMA_TFLITE_H_
#define FLATBUFFERS_GENERATED_SCHEMA_TFLITE_H_

namespace tflite {

struct Model {};

inline const Model* GetModel(const void* buf) { return static_cast<const Model*>(buf); }

}  // namespace tflite

#endif  // FLATBUFFERS_GENERATED_SCHEMA_TFLITE_H_
