"""The TensorFlow operations that a SavedModel may have: arithmetic, and nothing that reaches outside of it."""

from __future__ import annotations

_ALLOWED = """
    Abs Acos Acosh Add AddN AddV2 All Any ArgMax ArgMin Asin Asinh Assert Atan Atan2 Atanh AvgPool BatchMatMul
    BatchMatMulV2 BatchMatMulV3 BatchNormWithGlobalNormalization BatchToSpace BatchToSpaceND BiasAdd BiasAddV1
    Bitcast BroadcastArgs BroadcastTo Bucketize Cast Ceil CheckNumerics CheckNumericsV2 ClipByValue Concat
    ConcatOffset ConcatV2 Const ControlTrigger Conv Conv2D Conv2DBackpropInput Conv2DBackpropInputV2 Conv3D Cos Cosh
    Cross Cumprod Cumsum CumulativeLogsumexp DataFormatDimMap DataFormatVecPermute DepthToSpace
    DepthwiseConv2dNative Diag DiagPart Dilation2D DisableCopyOnRead Div DivNoNan DynamicPartition DynamicStitch
    Einsum Elu Empty EnsureShape Equal Erf Erfc Erfinv EuclideanNorm Exp ExpandDims Expm1 ExtractImagePatches
    FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel Fill Floor FloorDiv FloorMod
    FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 FusedPadConv2D FusedResizeAndPadConv2D Gather GatherNd GatherV2
    Greater GreaterEqual GuaranteeConst Identity IdentityN ImageProjectiveTransformV2 ImageProjectiveTransformV3 Inv
    Invert InvertPermutation IsFinite IsInf IsNan IsVariableInitialized L2Loss LRN LeakyRelu LeftShift Less
    LessEqual LinSpace ListDiff Log Log1p LogSoftmax LogicalAnd LogicalNot LogicalOr MatMul MatrixBandPart
    MatrixDiag MatrixDiagPart MatrixDiagPartV2 MatrixDiagPartV3 MatrixDiagV2 MatrixDiagV3 MatrixSetDiag
    MatrixSetDiagV2 MatrixSetDiagV3 Max MaxPool MaxPoolV2 MaxPoolWithArgmax Maximum Mean Min Minimum MirrorPad Mod
    Mul MulNoNan Multinomial Neg NoOp NotEqual NthElement OneHot OnesLike Pack Pad PadV2 ParallelConcat
    ParallelDynamicStitch Placeholder PlaceholderV2 PlaceholderWithDefault Pow PreventGradient Prod Range Rank
    RealDiv Reciprocal Relu Relu6 Reshape ResizeArea ResizeBicubic ResizeBilinear ResizeNearestNeighbor Reverse
    ReverseSequence ReverseV2 RightShift Rint Roll Round Rsqrt ScaleAndTranslate ScatterNd SegmentMax SegmentMean
    SegmentMin SegmentProd SegmentSum Select SelectV2 Selu Shape ShapeN Sigmoid Sign Sin Sinh Size Slice Snapshot
    Softmax Softplus Softsign SpaceToBatch SpaceToBatchND SpaceToDepth Split SplitV Sqrt Square SquaredDifference
    Squeeze StopGradient StridedSlice Sub Sum Tan Tanh TensorScatterAdd TensorScatterMax TensorScatterMin
    TensorScatterSub TensorScatterUpdate TensorStridedSliceUpdate Tile TopK TopKV2 Transpose TruncateDiv TruncateMod
    Unique UniqueV2 Unpack UnravelIndex UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentProd UnsortedSegmentSum
    Where Xdivy Xlog1py Xlogy ZerosLike

    Assign AssignAdd AssignAddVariableOp AssignSub AssignSubVariableOp AssignVariableOp ReadVariableOp
    ResourceGather ResourceGatherNd VarHandleOp VarIsInitializedOp Variable VariableShape VariableV2

    Case Enter Exit If LoopCond Merge NextIteration PartitionedCall RefEnter RefExit RefIdentity RefMerge
    RefNextIteration RefSelect RefSwitch StatefulPartitionedCall StatelessCase StatelessIf StatelessWhile Switch
    While

    BlockLSTM BlockLSTMV2 CudnnRNN CudnnRNNCanonicalToParams CudnnRNNCanonicalToParamsV2 CudnnRNNParamsSize
    CudnnRNNV2 CudnnRNNV3 EmptyTensorList GRUBlockCell LSTMBlockCell TensorArrayCloseV3 TensorArrayConcatV3
    TensorArrayGatherV3 TensorArrayReadV3 TensorArrayScatterV3 TensorArraySizeV3 TensorArraySplitV3 TensorArrayV3
    TensorArrayWriteV3 TensorListConcat TensorListConcatLists TensorListConcatV2 TensorListElementShape
    TensorListFromTensor TensorListGather TensorListGetItem TensorListLength TensorListPopBack TensorListPushBack
    TensorListReserve TensorListResize TensorListScatter TensorListScatterIntoExistingList TensorListScatterV2
    TensorListSetItem TensorListSplit TensorListStack

    ParameterizedTruncatedNormal RandomShuffle RandomStandardNormal RandomUniform RandomUniformInt RngReadAndSkip
    StatefulStandardNormalV2 StatefulTruncatedNormal StatefulUniform StatelessParameterizedTruncatedNormal
    StatelessRandomGetAlg StatelessRandomGetKeyCounter StatelessRandomGetKeyCounterAlg StatelessRandomNormal
    StatelessRandomNormalV2 StatelessRandomUniform StatelessRandomUniformFullInt StatelessRandomUniformFullIntV2
    StatelessRandomUniformInt StatelessRandomUniformIntV2 StatelessRandomUniformV2 StatelessShuffle
    StatelessTruncatedNormal StatelessTruncatedNormalV2 TruncatedNormal

    AvgPoolGrad BiasAddGrad BlockLSTMGrad BlockLSTMGradV2 BroadcastGradientArgs Conv2DBackpropFilter
    Conv2DBackpropFilterV2 CudnnRNNBackprop CudnnRNNBackpropV2 CudnnRNNBackpropV3
    DepthwiseConv2dNativeBackpropFilter DepthwiseConv2dNativeBackpropInput EluGrad FusedBatchNormGrad
    FusedBatchNormGradV2 FusedBatchNormGradV3 GRUBlockCellGrad InvGrad LRNGrad LSTMBlockCellGrad LeakyReluGrad
    MaxPoolGrad MaxPoolGradV2 MirrorPadGrad ReciprocalGrad Relu6Grad ReluGrad ResizeBicubicGrad ResizeBilinearGrad
    ResizeNearestNeighborGrad RsqrtGrad SeluGrad SigmoidGrad SoftmaxCrossEntropyWithLogits SoftplusGrad SoftsignGrad
    SparseSoftmaxCrossEntropyWithLogits SqrtGrad StridedSliceGrad TanhGrad TileGrad

    ShardedFilename StaticRegexFullMatch StringJoin
"""
ALLOWED = frozenset(_ALLOWED.split())
"""Operations that compute numbers from numbers, and what builds on them: arithmetic and image operations; variables;
functions and loops; recurrent layers; random numbers; gradients, which some exports have; and what makes the name of a
checkpoint, which is not read or written by it. An operation that this list lacks is refused, also one that a later
TensorFlow adds. Source: the operations of TensorFlow 2.21, of which each was looked at."""
CHECKPOINT = frozenset({"SaveV2", "MergeV2Checkpoints", "RestoreV2"})
"""Operations that write and read checkpoints at any path. Each SavedModel has them, in functions and nodes that are for
saving and restoring; there they are removed before TensorFlow loads it, and refused elsewhere."""
