"""A helper process: a GGUF in another quantization by llama.cpp's own quantizer, for kinds that NumPy cannot write.

usage: python requantize_llama.py SOURCE OUT KIND        KIND: IQ4_NL or Q4_K_M
"""

import sys

import llama_cpp

KINDS = {"IQ4_NL": llama_cpp.LLAMA_FTYPE_MOSTLY_IQ4_NL, "Q4_K_M": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M}


def main() -> int:
    source, out, kind = sys.argv[1:]
    options = llama_cpp.llama_model_quantize_default_params()
    options.ftype, options.allow_requantize, options.nthread = KINDS[kind], True, 2
    return int(llama_cpp.llama_model_quantize(source.encode(), out.encode(), options))


sys.exit(main())
