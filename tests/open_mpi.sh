# Sourced by the scripts that take tests to another machine.

# Paths of Open MPI's plugins. Transports between machines are not needed, and need much.
open_mpi_plugins() {
    local folder
    folder=$(dirname "$(find -L /usr/lib /usr/lib64 /usr/local/lib -name mca_btl_self.so 2> /dev/null | head -n 1)")
    find -L "$folder" -name 'mca_*.so' ! -name '*_ofi*' ! -name '*_ucx*' ! -name '*_openib*' ! -name '*_usnic*' \
        ! -name '*_psm*' ! -name '*_portals*' ! -name 'mca_spml*' ! -name 'mca_sshmem*' ! -name 'mca_scoll*' \
        ! -name 'mca_atomic*' ! -name 'mca_memheap*'
}
