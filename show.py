import sys, pprint, importlib, os
os.environ["SUPERVISOR_UNDER_TEST"]="python"
import scenario
def judge(runs):
    for r in runs:
        print(r.problem or ""); 
        for l,v in r.record: print("*",l); pprint.pprint(v,width=150)
scenario._judge=judge
m=importlib.import_module(sys.argv[1]); getattr(m,sys.argv[2])()
