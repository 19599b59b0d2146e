#include "nn/train/batches.hpp"

#include "nn/train/mixup.hpp"

namespace nanoatlas::nn {
namespace {

template <class T>
std::span<T> block_of(std::span<T> all, const comm::RowBlock& block) {
    return all.subspan(static_cast<std::size_t>(block.first),
                       static_cast<std::size_t>(block.count));
}

}  // namespace

Batches::Batches(const Inputs& inputs, const Samples& samples, const TrainSettings& settings,
                 const comm::Communicator& comm)
    : inputs_(inputs),
      samples_(samples),
      comm_(comm),
      order_(samples.labels, settings.order()),
      mixup_(settings.mixup),
      seed_(settings.seed) {}

Variation Batches::variation(const Draw& draw) const {
    return {samples_.rows[static_cast<std::size_t>(draw.sample)], draw.variation};
}

std::int32_t Batches::label(const Draw& draw) const {
    return samples_.labels[static_cast<std::size_t>(draw.sample)];
}

Batch Batches::get(const Pass& pass) {
    const auto draws = order_.draws(pass);
    Batch batch;
    std::vector<Variation> variations;
    for (const auto& draw : block_of(draws, comm::row_block(std::ssize(draws), comm_))) {
        variations.push_back(variation(draw));
        batch.rows.push_back(variations.back().row);
        batch.labels.push_back(label(draw));
    }
    if (mixup_ > 0)
        mix(batch, std::move(variations), pass);
    else if (pictures_ != nullptr)
        batch.pictures = pictures_->varied_pictures(variations);
    else
        batch.images = inputs_.varied(variations);
    return batch;
}

void Batches::mix(Batch& batch, std::vector<Variation> variations, const Pass& pass) {
    const auto draws = order_.draws(pass);
    const auto mine = comm::row_block(std::ssize(draws), comm_);
    const auto mixing = draw_mixing(mixup_, seed_, order_.number(pass), std::ssize(draws));
    const auto partners = block_of(std::span(mixing.partner), mine);
    std::vector<std::int64_t> places;  // of the partners, in variations
    for (const auto partner : partners) {
        const auto& draw = draws[static_cast<std::size_t>(partner)];
        batch.other_rows.push_back(variation(draw).row);
        batch.other_labels.push_back(label(draw));
        const bool is_mine = partner >= mine.first && partner < mine.end();
        places.push_back(is_mine ? partner - mine.first : std::ssize(variations));
        if (!is_mine) variations.push_back(variation(draw));
    }
    const auto shares = block_of(std::span(mixing.share), mine);
    batch.share.assign(shares.begin(), shares.end());

    if (pictures_ != nullptr) {
        batch.pictures = pictures_->varied_pictures(variations);
        batch.pictures->others = std::move(places);
        batch.pictures->shares = batch.share;
        return;
    }
    const auto pictures = inputs_.varied(variations);
    const auto elements = static_cast<std::size_t>(inputs_.elements());
    batch.images.resize(batch.rows.size() * elements);
#pragma omp parallel for schedule(static)
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
        const float* const own = pictures.data() + i * elements;
        const float* const other = pictures.data() + static_cast<std::size_t>(places[i]) * elements;
        float* const mixed = batch.images.data() + i * elements;
        for (std::size_t k = 0; k < elements; ++k)
            mixed[k] = batch.share[i] * own[k] + (1 - batch.share[i]) * other[k];
    }
}

void Batches::will_need(const Pass& pass) {
    const auto draws = order_.draws(pass);
    std::vector<std::int64_t> rows;
    for (const auto& draw : block_of(draws, comm::row_block(std::ssize(draws), comm_)))
        rows.push_back(variation(draw).row);
    inputs_.will_need(rows);
}

}  // namespace nanoatlas::nn
