"""Emissions of a plan, traceable to the gram: factors, the ledger of transport chain elements, and its exchange files.

The terms follow the structure of ISO 14083: transport chain elements, operation categories (TOC) and hub operation
categories (HOC), operation (TTW) and energy provision (WTT) emissions.
"""
