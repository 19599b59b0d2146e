#include "kernels/cudnn/plan.hpp"

#include <algorithm>
#include <array>

namespace nanoatlas::kernels::cudnn {
namespace {

using Four = std::array<std::int64_t, 4>;
constexpr std::int64_t first_virtual_uid = 100;

cudnnDataType_t type_of(Precision precision) {
    return precision == Precision::bf16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

/// Dimensions [samples, channels, height, width], channels innermost in memory.
Descriptor describe(std::int64_t uid, const Four& dims, cudnnDataType_t type, bool is_virtual) {
    const Four strides{dims[1] * dims[2] * dims[3], 1, dims[3] * dims[1], dims[1]};
    constexpr std::int64_t alignment = 16;
    Descriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, uid)
        .set(CUDNN_ATTR_TENSOR_DATA_TYPE, type)
        .set(CUDNN_ATTR_TENSOR_DIMENSIONS, dims)
        .set(CUDNN_ATTR_TENSOR_STRIDES, strides)
        .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, alignment)
        .set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, is_virtual);
    tensor.finalize();
    return tensor;
}

Four dims_of(const ImageShape& image) {
    return {image.samples, image.channels, image.height, image.width};
}

Descriptor describe_window(const Window& window) {
    using Two = std::array<std::int64_t, 2>;
    Descriptor convolution(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    convolution.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, std::int64_t{2})
        .set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT)
        .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION)
        .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, Two{window.top, window.left})
        .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, Two{window.bottom, window.right})
        .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, Two{window.stride_y, window.stride_x})
        .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, Two{window.dilation_y, window.dilation_x});
    convolution.finalize();
    return convolution;
}

/// Builds the operations of a request, and keeps the tensors that they refer to.
class GraphBuilder {
  public:
    explicit GraphBuilder(const PlanRequest& request)
        : request_(request), type_(type_of(request.precision)) {
        const auto& shape = request.shape;
        const bool forward_alone = request.pass == Pass::forward && request.epilogue;
        const Four weights{shape.output.channels, shape.input.channels / shape.groups,
                           shape.window.height, shape.window.width};
        add_convolution(
            describe(uid_x, dims_of(shape.input), type_, false),
            describe(uid_weights, weights, type_, false),
            forward_alone ? intermediate() : describe(uid_y, dims_of(shape.output), type_, false));
        if (forward_alone) add_epilogue();
    }

    Descriptor graph(const Target& target) const {
        Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
        graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, std::span<const Descriptor>(operations_));
        if (target.properties() == nullptr)
            graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, target.handle());
        return graph;
    }

  private:
    Descriptor intermediate() {
        return describe(next_virtual_++, dims_of(request_.shape.output), CUDNN_DATA_FLOAT, true);
    }

    // Factors have the type in which a convolution computes: of a double, half would be read.
    void add_convolution(Descriptor x, Descriptor weights, Descriptor y) {
        const auto convolution = describe_window(request_.shape.window);
        switch (request_.pass) {
            case Pass::forward: {
                Descriptor op(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
                op.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, convolution)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, weights)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0F)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0F);
                return finish(std::move(op), std::move(y));
            }
            case Pass::backward_data: {
                Descriptor op(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR);
                op.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, convolution)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, x)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, weights)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, y)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, 1.0F)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, 0.0F);
                return finish(std::move(op), std::move(x));
            }
            case Pass::backward_weights: {
                Descriptor op(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR);
                op.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, convolution)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, x)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, weights)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, y)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, 1.0F)
                    .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, 0.0F);
                return finish(std::move(op), std::move(weights));
            }
        }
    }

    void finish(Descriptor operation, Descriptor result) {
        operation.finalize();
        operations_.push_back(std::move(operation));
        last_.emplace(std::move(result));
    }

    /// y = activation(convolution + bias + addend); the last of them writes y.
    void add_epilogue() {
        const auto& shape = request_.shape;
        const bool activates = shape.activation != Activation::none;
        const Four per_channel{1, shape.output.channels, 1, 1};
        if (shape.bias)
            add_pointwise(CUDNN_POINTWISE_ADD, !shape.addend && !activates,
                          describe(uid_bias, per_channel, CUDNN_DATA_FLOAT, false));
        if (shape.addend)
            add_pointwise(CUDNN_POINTWISE_ADD, !activates,
                          describe(uid_addend, dims_of(shape.output), type_, false));
        if (activates)
            add_pointwise(shape.activation == Activation::gelu ? CUDNN_POINTWISE_GELU_FWD
                                                               : CUDNN_POINTWISE_RELU_FWD,
                          true, std::nullopt);
    }

    void add_pointwise(cudnnPointwiseMode_t mode, bool is_last, std::optional<Descriptor> other) {
        Descriptor pointwise(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
        pointwise.set(CUDNN_ATTR_POINTWISE_MODE, mode)
            .set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
        if (mode == CUDNN_POINTWISE_RELU_FWD && request_.shape.activation == Activation::relu6)
            pointwise.set(CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP, 6.0);
        pointwise.finalize();
        auto y = is_last ? describe(uid_y, dims_of(request_.shape.output), type_, false)
                         : intermediate();
        Descriptor op(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
        op.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, pointwise)
            .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, *last_)
            .set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
        if (other) op.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *other);
        finish(std::move(op), std::move(y));
    }

    const PlanRequest& request_;
    cudnnDataType_t type_;
    std::int64_t next_virtual_ = first_virtual_uid;
    std::vector<Descriptor> operations_;
    std::optional<Descriptor> last_;
};

/// Engines that we may use: those whose sums come out the same each time, and in f32 those that
/// multiply in f32.
bool is_exact_enough(const Descriptor& configuration, Precision precision) {
    const auto engines = configuration.get_descriptors(CUDNN_ATTR_ENGINECFG_ENGINE,
                                                       CUDNN_BACKEND_ENGINE_DESCRIPTOR, 1);
    const auto notes = engines.at(0).get_numerical_notes();
    return std::ranges::none_of(notes, [&](auto note) {
        const bool rounds = note == CUDNN_NUMERICAL_NOTE_TENSOR_CORE ||
                            note == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS ||
                            note == CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION ||
                            note == CUDNN_NUMERICAL_NOTE_WINOGRAD;
        return note == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC ||
               (precision == Precision::f32 && rounds);
    });
}

std::vector<Descriptor> candidates(const Descriptor& graph, cudnnBackendHeurMode_t mode,
                                   const Target& target) {
    Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
        .set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
    if (target.properties() != nullptr)
        heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *target.properties());
    if (!heuristics.try_finalize()) return {};
    constexpr std::int64_t most = 64;
    return heuristics.get_descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                      CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, most);
}

std::shared_ptr<const Plan> make_plan(const Descriptor& configuration, std::int64_t limit,
                                      const Target& target) {
    Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
    if (target.properties() != nullptr)
        plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *target.properties());
    else
        plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, target.handle());
    if (!plan.try_finalize()) return nullptr;
    const auto workspace = plan.get_integer(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
    if (workspace > limit) return nullptr;
    return std::make_shared<const Plan>(std::move(plan), workspace);
}

}  // namespace

Target::Target(const std::string& properties) : properties_(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR) {
    const std::span<const char> text(properties.c_str(), properties.size() + 1);
    properties_->set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, text);
    properties_->finalize();
}

void Plan::run(cudnnHandle_t handle, std::span<const Binding> tensors, void* workspace) const {
    std::vector<std::int64_t> uids;
    std::vector<void*> addresses;
    for (const auto& [uid, address] : tensors) {
        uids.push_back(uid);
        addresses.push_back(const_cast<void*>(address));
    }
    Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, uids)
        .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, addresses)
        .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, std::span<void* const>(&workspace, 1));
    pack.finalize();
    check(cudnnBackendExecute(handle, plan_.get(), pack.get()), "run a convolution");
}

std::shared_ptr<const Plan> find_plan(const PlanRequest& request, std::int64_t workspace_limit,
                                      const Target& target) {
    const GraphBuilder builder(request);
    auto graph = builder.graph(target);
    if (!graph.try_finalize()) return nullptr;
    for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK})
        for (const auto& configuration : candidates(graph, mode, target)) {
            if (!is_exact_enough(configuration, request.precision)) continue;
            if (auto plan = make_plan(configuration, workspace_limit, target)) return plan;
        }
    return nullptr;
}

}  // namespace nanoatlas::kernels::cudnn
