// Kokkos for a test program that runs its kernels: include this in one of its files.
#pragma once

#include <gtest/gtest.h>
#include <omp.h>

#include <memory>

#include "kernels/kokkos/runtime.hpp"

namespace nanoatlas::testing {

class KokkosEnvironment : public ::testing::Environment {
  public:
    void SetUp() override {
        runtime_ = std::make_unique<kernels::kokkos::Runtime>(omp_get_max_threads());
    }
    void TearDown() override { runtime_.reset(); }

  private:
    std::unique_ptr<kernels::kokkos::Runtime> runtime_;
};

inline auto* const kokkos_environment = ::testing::AddGlobalTestEnvironment(new KokkosEnvironment);

}  // namespace nanoatlas::testing
