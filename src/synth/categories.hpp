// The ten categories of the NFFA-EUROPE SEM data set (Aversa et al., Scientific Data 5 (2018)
// 180172) and the procedural scenes that stand for them.
#pragma once

#include <array>

#include "base/random.hpp"
#include "synth/specimen.hpp"

namespace nanoatlas::synth {

namespace scenes {
Specimen biological(base::Random& random, int size);
Specimen fibres(base::Random& random, int size);
Specimen films(base::Random& random, int size);
Specimen mems(base::Random& random, int size);
Specimen nanowires(base::Random& random, int size);
Specimen particles(base::Random& random, int size);
Specimen patterned(base::Random& random, int size);
Specimen porous(base::Random& random, int size);
Specimen powder(base::Random& random, int size);
Specimen tips(base::Random& random, int size);
}  // namespace scenes

struct Category {
    const char* name;
    /// A specimen of size x size pixels at a magnification that suits it; a function of the stream.
    Specimen (*draw)(base::Random& random, int size);
};

inline constexpr std::array<Category, 10> categories = {{
    {"Biological", scenes::biological},
    {"Fibres", scenes::fibres},
    {"Films_Coated_Surface", scenes::films},
    {"MEMS_devices_and_electrodes", scenes::mems},
    {"Nanowires", scenes::nanowires},
    {"Particles", scenes::particles},
    {"Patterned_surface", scenes::patterned},
    {"Porous_Sponge", scenes::porous},
    {"Powder", scenes::powder},
    {"Tips", scenes::tips},
}};

}  // namespace nanoatlas::synth
