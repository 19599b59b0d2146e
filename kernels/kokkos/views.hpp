// Host memory as Kokkos views: seen in place where the device shares it, else copied.
#pragma once

#include <Kokkos_Core.hpp>
#include <span>

namespace nanoatlas::kernels::kokkos {

using Execution = Kokkos::DefaultExecutionSpace;
using DeviceMemory = Execution::memory_space;

template <class T>
using DeviceView = Kokkos::View<T*, DeviceMemory>;
template <class T>
using HostView = Kokkos::View<T*, Kokkos::HostSpace, Kokkos::MemoryUnmanaged>;

/// The values on the device. On a host back end no copy is made.
template <class T>
auto on_device(std::span<const T> values) {
    return Kokkos::create_mirror_view_and_copy(DeviceMemory{},
                                               HostView<const T>(values.data(), values.size()));
}

/// Room on the device for values that copy_back() brings home. On a host back end it is the memory
/// of the values itself.
template <class T>
auto room_on_device(std::span<T> values) {
    return Kokkos::create_mirror_view(DeviceMemory{}, HostView<T>(values.data(), values.size()));
}

/// Values that a kernel changes and copy_back() brings home.
template <class T>
auto on_device_for_update(std::span<T> values) {
    return Kokkos::create_mirror_view_and_copy(DeviceMemory{},
                                               HostView<T>(values.data(), values.size()));
}

/// What they return.
template <class T>
using SeenView = decltype(on_device(std::span<const T>{}));
template <class T>
using RoomView = decltype(room_on_device(std::span<T>{}));

template <class T, class View>
void copy_back(const View& from, std::span<T> to) {
    Kokkos::deep_copy(HostView<T>(to.data(), to.size()), from);
}

/// Teams of one thread and some memory each; who is done takes the next task.
using Teams = Kokkos::TeamPolicy<Execution, Kokkos::Schedule<Kokkos::Dynamic>>;
using Team = Teams::member_type;
template <class T>
using Scratch = Kokkos::View<T*, Execution::scratch_memory_space, Kokkos::MemoryUnmanaged>;

template <class Kernel>
void for_each_row(const char* name, std::size_t rows, const Kernel& kernel) {
    Kokkos::parallel_for(name, Kokkos::RangePolicy<Execution>(0, rows), kernel);
}

}  // namespace nanoatlas::kernels::kokkos
