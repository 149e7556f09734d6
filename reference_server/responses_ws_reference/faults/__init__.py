from responses_ws_reference.faults.registry import FAULTS, Fault

__all__ = ["FAULTS", "Fault"]
