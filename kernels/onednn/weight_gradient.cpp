#include "kernels/onednn/weight_gradient.hpp"

#include "kernels/onednn/pixel_panels.hpp"

namespace nanoatlas::kernels::onednn {
namespace {

/// One thread's part: packs band after band and adds the tiles' products to its results.
template <class Kind>
class PixelSums {
  public:
    using Element = typename Kind::Element;
    using Unit = typename Kind::Unit;

    PixelSums(const WeightGradientPlan& plan, const Part& right_tiles, Unit* panels, float* results,
              float* bias)
        : plan_(plan),
          tiles_(right_tiles),
          left_(plan, panels),
          right_(plan, right_tiles, panels + plan.left_tiles * plan.left_panel(), bias),
          results_(results) {}

    /// All bands in this part of the pixels.
    void add(const Element* x, const Element* dy, std::int64_t part, std::int64_t parts) {
        const auto groups = divide_up(plan_.samples, plan_.group);
        const Part bands(groups * plan_.bands_a_sample(), part, parts);
        for (auto i = bands.first; i < bands.last; ++i) {
            const auto band = this->band(i);
            if (plan_.direct && Kind::pixels == 1) {
                add_direct(x, dy, band);
                continue;
            }
            left_.pack(x, band);
            right_.pack(dy, band);
            for (auto tile = tiles_.first; tile < tiles_.last; ++tile)
                for (std::int64_t left = 0; left < plan_.left_tiles; ++left)
                    add_tile(left, tile, band);
        }
    }

  private:
    Band band(std::int64_t i) const {
        const auto first = i / plan_.bands_a_sample() * plan_.group;
        const auto in_sample = i % plan_.bands_a_sample();
        const Part y(plan_.rows.output, in_sample / plan_.bands_x, plan_.bands_y);
        const Part x(plan_.columns.output, in_sample % plan_.bands_x, plan_.bands_x);
        return {.first_sample = first,
                .samples = std::min(plan_.group, plan_.samples - first),
                .y = y,
                .x = x,
                .packed_rows = plan_.rows.packed(y.count()),
                .packed_columns = plan_.columns.packed(x.count())};
    }

    void add_tile(std::int64_t left, std::int64_t tile, const Band& band) const {
        const int rows = plan_.left_rows(left);
        const auto function = tile_function<Kind>(rows, plan_.right_vectors(tile));
        const auto row = band.packed_columns * rows;
        TileSteps<Kind> by{.left = nullptr,
                           .right = right_.panel(tile),
                           .left_step = plan_.columns.packed_stride() * Kind::pixels * rows,
                           .left_run = plan_.rows.packed_stride() * row,
                           .left_group = band.packed_rows * row,
                           .right_step = std::int64_t{plan_.right_vectors(tile)} * tile_lanes,
                           .steps = divide_up(band.x.count(), Kind::pixels),
                           .runs = band.y.count(),
                           .groups = band.samples};
        float* sums =
            results_ + (tile * plan_.left_tiles + left) * plan_.taps() * plan_.tile_size();
        for (std::int64_t r = 0; r < plan_.rows.taps; ++r)
            for (std::int64_t s = 0; s < plan_.columns.taps; ++s) {
                by.left = left_.panel(left) + r * plan_.rows.dilation * row +
                          s * plan_.columns.dilation * rows;
                function(by, sums);
                sums += plan_.tile_size();
            }
    }

    /// Of pixels where they lie: a window of one pixel meets them in the order of memory. Tiles
    /// read them in stripes, which the processor would not fetch ahead: each asks for a part of
    /// those that come next.
    void add_direct(const Element* x, const Element* dy, const Band& band) const {
        if constexpr (Kind::pixels == 1) {
            const auto first = band.first_sample * plan_.columns.output + band.x.first;
            const auto pixels = band.samples * band.x.count();
            x += first * plan_.left_channels;
            dy += first * plan_.out_channels;
            for (auto tile = tiles_.first; tile < tiles_.last; ++tile) {
                const Part ahead(pixels, tile - tiles_.first, tiles_.count());
                ask_for(x + (pixels + ahead.first) * plan_.left_channels,
                        ahead.count() * plan_.left_channels);
                ask_for(dy + (pixels + ahead.first) * plan_.out_channels,
                        ahead.count() * plan_.out_channels);
                for (std::int64_t left = 0; left < plan_.left_tiles; ++left)
                    tile_function<Kind>(plan_.left_rows(left), plan_.right_vectors(tile))(
                        {.left = x + left * tile_rows,
                         .right = dy + tile * tile_columns,
                         .left_step = plan_.left_channels,
                         .left_run = 0,
                         .left_group = 0,
                         .right_step = plan_.out_channels,
                         .steps = pixels,
                         .runs = 1,
                         .groups = 1},
                        results_ + (tile * plan_.left_tiles + left) * plan_.tile_size());
            }
        }
    }
    static void ask_for(const Element* from, std::int64_t count) {
        for (std::int64_t i = 0; i < count; i += 64 / std::int64_t{sizeof(Element)})
            __builtin_prefetch(from + i);
    }

    const WeightGradientPlan& plan_;
    Part tiles_;
    LeftPanels<Kind> left_;
    RightPanels<Kind> right_;
    float* results_;
};

/// Adds up what the parts of the pixels gave for some tiles, and puts it where it belongs.
class ResultWriter {
  public:
    ResultWriter(const WeightGradientPlan& plan, float* results, float* weights)
        : plan_(plan), results_(results), weights_(weights) {}

    void write(std::int64_t tile) const {
        for (std::int64_t left = 0; left < plan_.left_tiles; ++left) {
            float* sums =
                results_ + (tile * plan_.left_tiles + left) * plan_.taps() * plan_.tile_size();
            for (std::int64_t part = 1; part < plan_.pixel_parts; ++part) {
                const float* others = sums + part * plan_.results();
                for (std::int64_t i = 0; i < plan_.taps() * plan_.tile_size(); ++i)
                    sums[i] += others[i];
            }
            scatter(sums, left, tile);
        }
    }

  private:
    /// sums [taps, rows, columns] -> weights [out, in, height, width]
    void scatter(const float* sums, std::int64_t left, std::int64_t tile) const {
        const auto& window = plan_.shape.window;
        const auto in = plan_.shape.input.channels;
        const auto window_size = window.height * window.width;
        const auto width = std::int64_t{plan_.right_vectors(tile)} * tile_lanes;
        const int rows = plan_.left_rows(left);
        for (std::int64_t o = 0; o < plan_.right_channels(tile); ++o) {
            float* weights = weights_ + (tile * tile_columns + o) * in * window_size;
            for (int row = 0; row < rows; ++row) {
                const auto channel = left * tile_rows + row;
                const auto i = channel % in, joined = channel / in;  // 0 unless columns are joined
                float* to = weights + i * window_size + joined;
                const auto tap_step = plan_.joined_columns ? window.width : 1;
                for (std::int64_t tap = 0; tap < plan_.taps(); ++tap)
                    to[tap * tap_step] = sums[tap * plan_.tile_size() + row * width + o];
            }
        }
    }

    const WeightGradientPlan& plan_;
    float *results_, *weights_;
};

template <class Kind>
void sum_pixels(const WeightGradientPlan& plan, const void* x, const void* dy, float* scratch,
                float* weights, float* bias) {
    using Unit = typename Kind::Unit;
    using Element = typename Kind::Element;
    float* results = scratch;
    float* biases = results + plan.pixel_parts * plan.results();
    auto* panels = reinterpret_cast<Unit*>(biases + plan.pixel_parts * plan.out_channels);
    const auto panel_units = plan.panel_units() + tile_lanes;
    const auto tile_results = plan.left_tiles * plan.taps() * plan.tile_size();
    const auto add_part = [&](std::int64_t part) {
        const auto pixels = part / plan.channel_parts, channels = part % plan.channel_parts;
        const Part tiles(plan.right_tiles, channels, plan.channel_parts);
        float* own = results + pixels * plan.results();
        float* own_bias = bias == nullptr ? nullptr : biases + pixels * plan.out_channels;
        std::fill(own + tiles.first * tile_results, own + tiles.last * tile_results, 0.0F);
        if (own_bias != nullptr)
            std::fill(own_bias + tiles.first * tile_columns,
                      own_bias + std::min(tiles.last * tile_columns, plan.out_channels), 0.0F);
        PixelSums<Kind>(plan, tiles, panels + part * panel_units, own, own_bias)
            .add(static_cast<const Element*>(x), static_cast<const Element*>(dy), pixels,
                 plan.pixel_parts);
    };
    const ResultWriter writer(plan, results, weights);
#pragma omp parallel num_threads(plan.threads)
    {
        // By parts, not by the thread's number: fewer threads than were planned may come.
#pragma omp for schedule(static, 1)
        for (int part = 0; part < plan.threads; ++part) add_part(part);
#pragma omp for schedule(static)
        for (std::int64_t tile = 0; tile < plan.right_tiles; ++tile) writer.write(tile);
    }
    if (bias == nullptr) return;
    std::copy_n(biases, plan.out_channels, bias);
    for (std::int64_t part = 1; part < plan.pixel_parts; ++part)
        for (std::int64_t o = 0; o < plan.out_channels; ++o)
            bias[o] += biases[part * plan.out_channels + o];
}

}  // namespace

bool WeightGradient::suits(const ConvolutionShape& shape, Precision precision) {
    const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
    const auto amx = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_amx);
    return shape.groups == 1 && (precision == Precision::f32 || (isa & amx) != amx);
}

WeightGradient::WeightGradient(const ConvolutionShape& shape, std::shared_ptr<Engine> engine)
    : engine_(std::move(engine)), plan_(std::make_unique<const WeightGradientPlan>(shape)) {
    engine_->reserve_scratch(plan_->scratch_bytes());
}

WeightGradient::~WeightGradient() = default;

void WeightGradient::run(const void* x, const void* dy, float* dweights, float* dbias) {
    auto* scratch = static_cast<float*>(engine_->scratch());
    if (engine_->precision() == Precision::bf16)
        sum_pixels<PixelPair>(*plan_, x, dy, scratch, dweights, dbias);
    else
        sum_pixels<SinglePixel>(*plan_, x, dy, scratch, dweights, dbias);
}

}  // namespace nanoatlas::kernels::onednn
