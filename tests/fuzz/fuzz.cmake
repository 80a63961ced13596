# provision_fuzz(NAME SOURCES a.c … LINKS other …): a fuzz target over LLVMFuzzerTestOneInput. Where
# PROVISION_FUZZ is on it is a libFuzzer program, registered with CTest for a bounded run; everywhere else a
# program that runs the corpus once, so that what was found stays found. The corpus is the folder
# `corpus/NAME`, or `corpus`, beside the CMakeLists.txt, `NAME.dict` its optional dictionary.
include_guard(GLOBAL)

function(provision_fuzz name)
    cmake_parse_arguments(F "" "" "SOURCES;LINKS" ${ARGN})
    set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/corpus)
    if(EXISTS ${corpus}/${name})
        set(corpus ${corpus}/${name})
    endif()
    set(arguments)
    if(PROVISION_FUZZ)
        add_executable(${name} ${F_SOURCES})
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
        set(found ${CMAKE_CURRENT_BINARY_DIR}/found_${name})
        file(MAKE_DIRECTORY ${found})
        set(arguments -runs=20000 -max_total_time=30 -print_final_stats=0 ${found})
        if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${name}.dict)
            list(PREPEND arguments -dict=${CMAKE_CURRENT_SOURCE_DIR}/${name}.dict)
        endif()
    else()
        add_executable(${name} ${F_SOURCES} ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/replay.c)
    endif()
    target_link_libraries(${name} PRIVATE ${F_LINKS} provision_options)
    add_test(NAME ${name} COMMAND ${name} ${arguments} ${corpus})
    set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 120)
endfunction()
