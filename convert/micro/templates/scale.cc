enum class Way { kArea, kLinear, kMixed };

// The weights of the pixels of a line of `from` that make pixel `at` of a line of `to`. Returns the first of these pixels.
int Weights(int at, int from, int to, Way way, float* weights, int* count) {
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  if (way == Way::kArea) {
    const float start = static_cast<float>(at) * scale;
    const float end = start + scale;
    const int first = std::min(from - 1, static_cast<int>(start));
    *count = std::max(1, std::min(from, static_cast<int>(std::ceil(end - 1e-3f))) - first);
    for (int i = 0; i < *count; ++i) {
      const float left = static_cast<float>(first + i);
      weights[i] = (std::min(end, left + 1.0f) - std::max(start, left)) / scale;
    }
    return first;
  }
  float place = (static_cast<float>(at) + 0.5f) * scale - 0.5f;
  if (way == Way::kMixed) {
    const float pixel = std::floor(static_cast<float>(at) * scale + 1e-4f);
    const float share = static_cast<float>(at + 1) - (pixel + 1.0f) / scale;
    place = pixel + (share <= 0.0f ? 0.0f : share - std::floor(share));
  }
  place = std::min(std::max(place, 0.0f), static_cast<float>(from - 1));
  const int first = static_cast<int>(place);
  weights[1] = place - static_cast<float>(first);
  weights[0] = 1.0f - weights[1];
  *count = weights[1] > 0.0f ? 2 : 1;
  return first;
}

// Scales an image to the input's size, as OpenCV's resize does: by INTER_AREA where it becomes smaller, by INTER_LINEAR
// elsewhere. The results are the same but for rounding.
void Scale(const std::uint8_t* source, int rows, int columns, std::uint8_t* image) {
  static float down[$most_side + 2];
  static float across[$most_side + 2];
  const bool is_smaller = rows > kInputHeight || columns > kInputWidth;
  const bool is_larger = rows < kInputHeight || columns < kInputWidth;
  const Way way = !is_smaller ? Way::kLinear : is_larger ? Way::kMixed : Way::kArea;
  for (int y = 0; y < kInputHeight; ++y) {
    int tall = 0;
    const int top = Weights(y, rows, kInputHeight, way, down, &tall);
    for (int x = 0; x < kInputWidth; ++x) {
      int wide = 0;
      const int left = Weights(x, columns, kInputWidth, way, across, &wide);
      float sum = 0.0f;
      for (int i = 0; i < tall; ++i) {
        for (int j = 0; j < wide; ++j) {
          sum += down[i] * across[j] * source[(top + i) * columns + left + j];
        }
      }
      image[kInputWidth * y + x] = static_cast<std::uint8_t>(std::lrint(std::min(sum, 255.0f)));
    }
  }
}

