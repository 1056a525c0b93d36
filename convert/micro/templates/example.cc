// How to use $stem.h: reads a digit of 28x28 pixels with TensorFlow Lite for Microcontrollers (TFLM,
// https://github.com/tensorflow/tflite-micro), which must be in the include path. $made
// edge-convert writes this file anew: copy it before you change it.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "$stem.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_log.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace $space {
namespace {

constexpr int kSide = 28;
constexpr int kPixels = kInputHeight * kInputWidth;

alignas(16) std::uint8_t arena[kArenaSize];
tflite::MicroInterpreter* interpreter = nullptr;

$helpers}  // namespace

// Makes the interpreter; call it once. Returns false if TFLM refuses the model: its log says why.
bool SetUp() {
  static tflite::MicroMutableOpResolver<$count> resolver;
  if ($adds) {
    return false;
  }
  static tflite::MicroInterpreter made(tflite::GetModel(kModelData), resolver, arena, kArenaSize);
  if (made.AllocateTensors() != kTfLiteOk) {
    return false;
  }
  interpreter = &made;
  return true;
}

// Reads a digit, after SetUp. glyph: kSide x kSide grey values, row by row, from 0 for empty paper to 255 for full ink.
// As in MNIST its longer side has 20 pixels, and its centre of mass is in the middle: invert dark ink on white paper.
// Writes the probability of each of the kClasses classes. Returns the most probable one, or -1 if TFLM fails.
int Read(const std::uint8_t* glyph, float* probabilities) {
  FillInput(glyph, interpreter->input(0)->data.int8);
  if (interpreter->Invoke() != kTfLiteOk) {
    return -1;
  }
  const std::int8_t* output = interpreter->output(0)->data.int8;
  $largest_declared
  float sum = 0.0f;
  for (int i = 0; i < kClasses; ++i) {
    const float real = static_cast<float>(output[i] - kOutputZeroPoint) * kOutputScale;
    probabilities[i] = $probability;
    sum += probabilities[i];
  }
  for (int i = 0; i < kClasses; ++i) {
    probabilities[i] /= std::max(sum, 1e-6f);
  }
  return static_cast<int>(std::max_element(probabilities, probabilities + kClasses) - probabilities);
}

}  // namespace $space

#ifdef EDGE_EXAMPLE_MAIN
int main() {
  // A stroke downwards: a one.
  static std::uint8_t glyph[28 * 28];
  for (int y = 4; y < 24; ++y) {
    glyph[28 * y + 13] = glyph[28 * y + 14] = 255;
  }
  float probabilities[$space::kClasses];
  if (!$space::SetUp()) {
    return 1;
  }
  const int found = $space::Read(glyph, probabilities);
  if (found < 0) {
    return 1;
  }
  MicroPrintf("%s, %d %%", $space::kLabels[found], static_cast<int>(100 * probabilities[found] + 0.5f));
  return 0;
}
#endif
