// The model in $stem.tflite for TensorFlow Lite for Microcontrollers (TFLM). $made
// How to use it: $stem$example.cc.

#ifndef ${guard}
#define ${guard}

#include <cstddef>
#include <cstdint>

namespace $space {

// The .tflite, aligned to 16 bytes as TFLM needs it.
extern const unsigned char kModelData[];
constexpr std::size_t kModelSize = $model_bytes;

// The input: $shape int8, an image of so many rows, columns and channels; real value = (int8 - zero) * scale.
constexpr int kInputHeight = $height;
constexpr int kInputWidth = $width;
constexpr int kInputChannels = $channels;
constexpr float kInputScale = $input_scale;
constexpr int kInputZeroPoint = $input_zero;
// The real value of empty paper and of full ink$normalised. $fitted
constexpr float kPaper = $paper;
constexpr float kInk = $ink;
$table_declared
// The output: kClasses int8; real value = (int8 - zero) * scale. The real values are $meaning.
constexpr int kClasses = $classes;
constexpr float kOutputScale = $output_scale;
constexpr int kOutputZeroPoint = $output_zero;
// With it the probabilities are calibrated; how it is used, see $stem$example.cc.
constexpr float kTemperature = $temperature;
constexpr const char* kLabels[kClasses] = {$labels};

// Bytes that TFLM needs besides the model, estimated: enough for its own kernels on any processor. Those made for a
// processor, such as CMSIS-NN's, may need more: arena_used_bytes() of the interpreter says how much it was.
constexpr std::size_t kArenaSize = $arena_bytes;

}  // namespace $space

#endif  // ${guard}
