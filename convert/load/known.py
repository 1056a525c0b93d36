"""The names that the architecture of a Keras model may have: classes and functions that compute numbers from numbers.

A name that these lists lack is refused, also one that a later Keras adds. Source: Keras 3.15, tf_keras 2.21 and
TensorFlow 2.21, of which each was looked at. Left out is what holds or calls code (Lambda, Map), opens files
(StringLookup, TFSMLayer), works on text, or is only a base of others.
"""

from __future__ import annotations

import re

_LAYERS = """
    Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D
    AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add AdditiveAttention AlphaDropout Attention AugMix
    AutoContrast Average AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D
    BatchNormalization BatchNormalizationV1 BatchNormalizationV2 Bidirectional CategoryEncoding CenterCrop Concatenate
    ContrastLimitedAdaptiveHistogramEqualization Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose
    ConvLSTM1D ConvLSTM2D ConvLSTM3D Convolution1D Convolution1DTranspose Convolution2D Convolution2DTranspose
    Convolution3D Convolution3DTranspose Cropping1D Cropping2D Cropping3D CuDNNGRU CuDNNLSTM CutMix Dense
    DepthwiseConv1D DepthwiseConv2D Discretization Dot Dropout ELU EinsumDense Embedding Equalization Flatten GRU
    GRUCell GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
    GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D GlobalMaxPooling1D
    GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization GroupQueryAttention GroupedQueryAttention Identity
    InputLayer LSTM LSTMCell LayerNormalization LeakyReLU LocallyConnected1D LocallyConnected2D Masking
    MaxNumBoundingBoxes MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D MaxPooling3D Maximum MelSpectrogram
    Minimum MixUp MultiHeadAttention Multiply Normalization PReLU Permute Pipeline RMSNormalization RNN RandAugment
    RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop RandomElasticTransform
    RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHeight RandomHue RandomInvert RandomPerspective
    RandomPosterization RandomRotation RandomSaturation RandomSharpness RandomShear RandomTranslation RandomWidth
    RandomZoom ReLU RepeatVector Rescaling Reshape Resizing ReversibleEmbedding STFTSpectrogram SeparableConv1D
    SeparableConv2D SeparableConvolution1D SeparableConvolution2D SimpleRNN SimpleRNNCell Softmax Solarization
    SpatialDropout1D SpatialDropout2D SpatialDropout3D SpectralNormalization StackedRNNCells Subtract
    SyncBatchNormalization ThresholdedReLU TimeDistributed UnitNormalization UpSampling1D UpSampling2D UpSampling3D
    ZeroPadding1D ZeroPadding2D ZeroPadding3D
"""
_INITIALIZERS = """
    Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity IdentityInitializer LecunNormal LecunUniform Ones
    Orthogonal OrthogonalInitializer RandomNormal RandomUniform STFT STFTInitializer TruncatedNormal VarianceScaling
    Zeros ConstantV2 GlorotNormalV2 GlorotUniformV2 HeNormalV2 HeUniformV2 IdentityV2 LecunNormalV2 LecunUniformV2
    OnesV2 OrthogonalV2 RandomNormalV2 RandomUniformV2 TruncatedNormalV2 VarianceScalingV2 ZerosV2 constant
    glorot_normal glorot_uniform he_normal he_uniform identity lecun_normal lecun_uniform normal one ones orthogonal
    random_normal random_uniform stft truncated_normal uniform variance_scaling zero zeros
"""
_REGULARIZERS = "L1 L1L2 L2 OrthogonalRegularizer l1 l1l2 l2 orthogonal_regularizer"
_CONSTRAINTS = """
    MaxNorm MinMaxNorm NonNeg RadialConstraint UnitNorm max_norm maxnorm min_max_norm non_neg nonneg radial_constraint
    unit_norm unitnorm
"""
_NUMPY = """
    Abs Absolute Add All AllClose Amax Amin Angle Any Append Arange Arccos Arccosh Arcsin Arcsinh Arctan Arctan2 Arctanh
    Argmax Argmin Argpartition Argsort Array ArraySplit Average Bincount BitwiseAnd BitwiseInvert BitwiseLeftShift
    BitwiseNot BitwiseOr BitwiseRightShift BitwiseXor BroadcastTo Cbrt Ceil Clip Concatenate Conj Conjugate Copy
    Corrcoef Correlate Cos Cosh CountNonzero Cross Cumprod Cumsum Deg2rad Diag Diagflat Diagonal Diff Digitize Divide
    DivideNoNan Dot Dsplit Dstack Einsum EmptyLike Equal Exp Exp2 ExpandDims Expm1 Fabs Flip Fliplr Flipud Floor
    FloorDivide Fmax Fmin Fmod Full FullLike Gcd Geomspace GetItem Greater GreaterEqual Heaviside Histogram Hsplit
    Hstack Hypot I0 Imag Inner IsIn Isclose Isfinite Isinf Isnan Isneginf Isposinf Isreal Kron Lcm Ldexp LeftShift Less
    LessEqual Linspace Log Log10 Log1p Log2 Logaddexp Logaddexp2 LogicalAnd LogicalNot LogicalOr LogicalXor Logspace
    Matmul Max Maximum Mean Median Meshgrid Min Minimum Mod Moveaxis Multiply NanToNum Nanargmax Nanargmin Nancumprod
    Nancumsum Nanmax Nanmean Nanmedian Nanmin Nanpercentile Nanprod Nanquantile Nanstd Nansum Nanvar Ndim Negative
    Nextafter Nonzero NotEqual OnesLike Outer Pad Percentile Power Prod Ptp Quantile Rad2deg Ravel Real Reciprocal
    Repeat Reshape RightShift Roll Rot90 Round SearchSorted Select Sign Signbit Sin Sinc Sinh Size Slogdet Sort Split
    Sqrt Square Squeeze Stack Std Subtract Sum Swapaxes Take TakeAlongAxis Tan Tanh Tensordot Tile Trace Transpose
    Trapezoid Tril Triu TrueDivide Trunc Unique UnravelIndex Vander Var Vdot View Vsplit Vstack Where ZerosLike
"""
_NN = """
    AdaptiveAveragePool AdaptiveMaxPool AveragePool BatchNorm BinaryCrossentropy CTCDecode CTCLoss
    CategoricalCrossentropy Celu Conv ConvTranspose DepthToSpace DepthwiseConv DotProductAttention Elu Fold Gelu Glu
    HardShrink HardSigmoid HardSilu HardTanh LayerNorm LeakyRelu LogSigmoid LogSoftmax MaxPool Moments MultiHot
    Normalize OneHot PSNR Polar RMSNorm Relu Relu6 Selu SeparableConv Sigmoid Silu SoftShrink Softmax Softplus Softsign
    SpaceToDepth SparseCategoricalCrossentropy SparsePlus SparseSigmoid Sparsemax Squareplus TanhShrink Threshold Unfold
"""
_MATH = """
    CDist Erf Erfc Erfinv ExtractSequences FFT FFT2 IFFT2 IRFFT ISTFT InTopK Logdet Logsumexp RFFT Rsqrt STFT SegmentMax
    SegmentMin SegmentProd SegmentSum TopK ViewAsComplex ViewAsReal
"""
_IMAGE = """
    AffineTransform CropImages ElasticTransform ExtractPatches GaussianBlur HSVToRGB MapCoordinates PadImages
    PerspectiveTransform RGBToGrayscale RGBToHSV Resize SSIM ScaleAndTranslate SobelEdges
"""
_LINALG = """
    Cholesky CholeskyInverse Det Eig Eigh Inv Lstsq LuFactor MatrixRank Norm Pinv Qr SVD Solve SolveTriangular
"""
_CORE = "Cast ConvertToTensor SaturateCast Scatter ScatterUpdate Slice SliceUpdate StopGradient Unstack"

OPERATIONS = {
    f"keras.src.ops.{place}": frozenset(names.split())
    for place, names in (
        ("numpy", _NUMPY), ("nn", _NN), ("math", _MATH), ("image", _IMAGE), ("linalg", _LINALG), ("core", _CORE),
    )
}  # fmt: skip
"""Keras 3's operations outside layers, such as x - 1, by the module that Keras writes."""
CLASSES: dict[str, frozenset[str]] = {
    "keras": frozenset({"Sequential", "Model", "DTypePolicy", "FloatDTypePolicy"}),
    "keras.src.engine.functional": frozenset({"Functional"}),
    "keras.src.models.functional": frozenset({"Functional"}),
    "keras.layers": frozenset(_LAYERS.split()),
    "keras.src.layers.core.tf_op_layer": frozenset({"TFOpLambda", "SlicingOpLambda"}),
    "keras.src.engine.base_layer": frozenset({"TensorFlowOpLayer", "AddLoss", "AddMetric"}),
    "keras.initializers": frozenset(_INITIALIZERS.split()),
    "keras.regularizers": frozenset(_REGULARIZERS.split()),
    "keras.constraints": frozenset(_CONSTRAINTS.split()),
    "keras.dtype_policies": frozenset({"DTypePolicyMap"}),
    "keras.mixed_precision": frozenset({"Policy"}),
    **OPERATIONS,
}
"""The classes, by the module from which Keras 3 or tf_keras, which calls itself keras here, takes them."""
VALUES = frozenset({
    "__ellipsis__", "__keras_tensor__", "__numpy__", "__slice__", "__tensor__", "__tuple__", "TensorShape",
})  # fmt: skip
"""What Keras writes as a class though it is a value."""
_ACTIVATIONS = """
    celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear log_sigmoid
    log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid
    sparsemax squareplus swish tanh tanh_shrink threshold
"""
ACTIVATIONS = frozenset(_ACTIVATIONS.split())
"""The functions that Keras may write as objects."""
SAME_ACTIVATIONS = {
    "softmax_v2": "softmax", "log_softmax_v2": "log_softmax", "identity": "linear", "exp": "exponential",
}  # fmt: skip
"""How Keras writes TensorFlow's functions, such as ``tf.nn.softmax``, that it has itself under another name."""
_ELEMENTWISE = """
    abs acos acosh asin asinh atan atanh ceil cos cosh erf erfc expm1 floor log log1p negative reciprocal
    reciprocal_no_nan rint round rsqrt sign sin sinh sqrt square tan
"""
ELEMENTWISE = {name: name for name in _ELEMENTWISE.split()} | {"absolute": "abs", "neg": "negative"}
"""How Keras writes functions of ``tf.math`` and ``keras.ops`` that it has no activation for, and their names in
``tf.math``: one number from each number."""
PLAIN_FUNCTIONS = frozenset({*ACTIVATIONS, *SAME_ACTIVATIONS, *ELEMENTWISE})
"""Functions that need no code of the file's author: one name stands for one function."""
FUNCTIONS = {
    "activation": PLAIN_FUNCTIONS | {"ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax", "ThresholdedReLU"},
    "initializer": CLASSES["keras.initializers"],
    "regularizer": CLASSES["keras.regularizers"] | {"l1_l2"},
    "constraint": CLASSES["keras.constraints"],
}
"""The names by which functions may be given, by how the names of such settings end: ``recurrent_activation``."""
_TENSORFLOW = {
    "": """
        argsort batch_to_space bitcast boolean_mask broadcast_dynamic_shape broadcast_static_shape broadcast_to cast
        clip_by_global_norm clip_by_norm clip_by_value concat convert_to_tensor dynamic_partition dynamic_stitch einsum
        ensure_shape expand_dims eye fill gather gather_nd histogram_fixed_width histogram_fixed_width_bins identity
        identity_n linspace meshgrid norm one_hot ones ones_like pad parallel_stack range rank realdiv repeat reshape
        reverse reverse_sequence roll scatter_nd searchsorted sequence_mask shape shape_n size slice sort space_to_batch
        space_to_batch_nd split squeeze stack stop_gradient strided_slice tensor_scatter_nd_add tensor_scatter_nd_max
        tensor_scatter_nd_min tensor_scatter_nd_sub tensor_scatter_nd_update tensordot tile transpose truncatediv
        truncatemod unique unique_with_counts unravel_index unstack where zeros zeros_like
    """,
    "__operators__.": "add eq getitem ne",
    # What tf.squeeze and others are called in a file.
    "compat.v1.": """
        batch_gather boolean_mask expand_dims gather gather_nd ones_like pad shape size squeeze to_float to_int32
        transpose where zeros_like
    """,
    "math.": """
        abs accumulate_n acos acosh add add_n angle argmax argmin asin asinh atan atan2 atanh bincount ceil
        confusion_matrix conj cos cosh count_nonzero cumprod cumsum cumulative_logsumexp digamma divide divide_no_nan
        equal erf erfc erfcinv erfinv exp expm1 floor floordiv floormod greater greater_equal imag in_top_k
        invert_permutation is_finite is_inf is_nan l2_normalize less less_equal lgamma log log1p log_sigmoid logical_and
        logical_not logical_or logical_xor maximum minimum multiply multiply_no_nan negative nextafter not_equal
        polyval pow real reciprocal reciprocal_no_nan reduce_all reduce_any reduce_euclidean_norm reduce_logsumexp
        reduce_max reduce_mean reduce_min reduce_prod reduce_std reduce_sum reduce_variance rint round rsqrt scalar_mul
        segment_max segment_mean segment_min segment_prod segment_sum sigmoid sign sin sinh softplus sqrt square
        squared_difference subtract tan tanh top_k truediv unsorted_segment_max unsorted_segment_mean
        unsorted_segment_min unsorted_segment_prod unsorted_segment_sqrt_n unsorted_segment_sum xdivy xlog1py xlogy
        zero_fraction
    """,
    "nn.": """
        atrous_conv2d avg_pool avg_pool1d avg_pool2d avg_pool3d batch_normalization bias_add conv1d conv1d_transpose
        conv2d conv2d_transpose conv3d conv3d_transpose conv_transpose convolution crelu depth_to_space depthwise_conv2d
        dilation2d dropout elu erosion2d gelu l2_loss leaky_relu local_response_normalization log_softmax max_pool
        max_pool1d max_pool2d max_pool3d max_pool_with_argmax moments normalize_moments pool relu relu6 selu
        separable_conv2d silu softmax softsign space_to_depth sufficient_statistics weighted_moments
    """,
    "linalg.": """
        adjoint band_part cross det diag diag_part expm global_norm inv logdet matmul matrix_rank matrix_transpose
        matvec normalize pinv set_diag solve sqrtm svd tensor_diag tensor_diag_part trace
    """,
    "image.": """
        adjust_brightness adjust_contrast adjust_gamma adjust_hue adjust_saturation central_crop convert_image_dtype
        crop_and_resize crop_to_bounding_box extract_glimpse extract_patches flip_left_right flip_up_down
        grayscale_to_rgb hsv_to_rgb image_gradients pad_to_bounding_box per_image_standardization resize
        resize_with_crop_or_pad resize_with_pad rgb_to_grayscale rgb_to_hsv rgb_to_yiq rgb_to_yuv rot90 sobel_edges
        total_variation transpose yiq_to_rgb yuv_to_rgb
    """,
}
TENSORFLOW = frozenset(place + name for place, names in _TENSORFLOW.items() for name in names.split())
"""TensorFlow functions that a model of tf_keras may use as layers, by the names that TensorFlow 2.21 writes."""
PLACE = re.compile(r"(compat\.v1\.)?((math|nn|linalg|image|dtypes|manip|debugging)\.)?")
"""Where TensorFlow has these and nothing but arithmetic. One function has names in several of them, and which of its
names is written has changed between its versions: ``nn.softmax``, ``math.softmax``, ``compat.v1.nn.softmax``."""
_OLDER_NAMES = """
    avg_pool_v2 div_no_nan lin_space lrn matrix_band_part matrix_determinant matrix_diag matrix_diag_part
    matrix_inverse matrix_set_diag matrix_solve matrix_square_root max_pool_v2 mod resize_image_with_crop_or_pad
    reverse_v2 swish tensor_scatter_add tensor_scatter_sub tensor_scatter_update transpose_image where_v2
"""
_LAST_NAMES = {name.rpartition(".")[2] for name in TENSORFLOW if not name.startswith("__")} | {*_OLDER_NAMES.split()}


def is_numeric(function: str) -> bool:
    """Whether a model of tf_keras may use the TensorFlow function with this public name as a layer."""
    place = PLACE.match(function)
    return function in TENSORFLOW or (place is not None and function[place.end() :] in _LAST_NAMES)
