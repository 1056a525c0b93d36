// A stand-in for TFLM's header: a model whose outputs are its first inputs.
#ifndef TENSORFLOW_LITE_MICRO_MICRO_INTERPRETER_H_
#define TENSORFLOW_LITE_MICRO_MICRO_INTERPRETER_H_

#include "tensorflow/lite/c/common.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace tflite {

class MicroInterpreter {
 public:
  MicroInterpreter(const Model*, const MicroOpResolver&, uint8_t* tensor_arena, size_t tensor_arena_size)
      : is_aligned_(reinterpret_cast<uintptr_t>(tensor_arena) % 16 == 0 && tensor_arena_size > 0) {
    tensor_.data.int8 = values_;
  }

  TfLiteStatus AllocateTensors() { return is_aligned_ ? kTfLiteOk : kTfLiteError; }
  TfLiteStatus Invoke() { return kTfLiteOk; }
  TfLiteTensor* input(size_t) { return &tensor_; }
  TfLiteTensor* output(size_t) { return &tensor_; }

 private:
  bool is_aligned_;
  int8_t values_[64 * 64 * 3];
  TfLiteTensor tensor_;
};

}  // namespace tflite

#endif  // TENSORFLOW_LITE_MICRO_MICRO_INTERPRETER_H_
