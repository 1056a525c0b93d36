// The model in $stem.tflite, without its card. $made

#include "$stem.h"

namespace $space {

alignas(16) const unsigned char kModelData[kModelSize] = {
$bytes
};
$table
}  // namespace $space
